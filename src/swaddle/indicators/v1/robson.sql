CASE
    WHEN n_fetuses IS NULL THEN 'unclassifiable: n_fetuses'
    WHEN n_fetuses >= 2 THEN '8'
    WHEN presentation = 'transverse_oblique' THEN '9'
    WHEN presentation = 'breech' THEN
        CASE WHEN para IS NULL THEN 'unclassifiable: para' WHEN para = 0 THEN '6' ELSE '7' END
    WHEN presentation IS DISTINCT FROM 'vertex' THEN 'unclassifiable: presentation'
    WHEN ga_weeks IS NULL THEN 'unclassifiable: ga_weeks'
    WHEN ga_weeks < 37 THEN '10'
    WHEN para IS NULL THEN 'unclassifiable: para'
    WHEN para = 0 THEN
        CASE onset_labour
            WHEN 'spontaneous' THEN '1'
            WHEN 'induced' THEN '2a'
            WHEN 'no_labour_cs' THEN '2b'
            ELSE 'unclassifiable: onset_labour'
        END
    WHEN previous_cs IS NULL THEN 'unclassifiable: previous_cs'
    WHEN previous_cs >= 1 THEN '5'
    ELSE
        CASE onset_labour
            WHEN 'spontaneous' THEN '3'
            WHEN 'induced' THEN '4a'
            WHEN 'no_labour_cs' THEN '4b'
            ELSE 'unclassifiable: onset_labour'
        END
END
