"""Words in names of organisations: what they are short for, and how little most of them tell. A table."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Legal forms, letters behind a person's name, and filler, English and French: they tell nothing.
LEGAL = _words("""
    ps dr holding holdings affiliates inc incorporated llc llp lllp lp ltd limited co corp corporation company
    cos pc pa pllc plc psc md mds dds dmd do dpm phd od facs gmbh ag sa sas sarl nv bv ltee limitee cie srl spa
    pty na apc apmc chtd chartered nfp pbc the of and for at in on de la le les du des et a an by to its
""")
# Words that half of all organisations carry.
COMMON = _words("""
    store cooperative
    health care medical center hospital group service system university department county state city clinic
    physician associate community regional general memorial family human social public national international
    insurance plan life benefit dental pharmacy school district college board authority office agency network
    partner management solution technology services institute foundation trust bank financial credit union
    practice specialist surgery pediatric orthopedic eye cancer heart vision laboratory home nursing hospice
    behavioral mental rehabilitation wellness integrated first united american america us usa valley saint
    children child women  government administration division resource program professional
    provider employee welfare fund advanced premier mutual holding global data society consultant urgent primary
    internal therapy urology radiology imaging dermatology cardiology oncology gynecology anesthesia ambulatory
    emergency alliance north south east west northern southern eastern western northeast northwest southeast
    southwest central mount new fort san santa los las el port lake river
""")
# Places: they tell something, and not enough.
PLACES = _words("""
    alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho
    illinois indiana iowa kansas kentucky louisiana maine maryland massachusetts michigan minnesota mississippi
    missouri montana nebraska nevada hampshire jersey mexico york carolina dakota ohio oklahoma oregon
    pennsylvania rhode island tennessee texas utah vermont virginia washington wisconsin wyoming columbia puerto
    rico ontario quebec alberta manitoba saskatchewan
""")
# Names that hospitals in every state bear: alone they do not say that two in different states are one.
OFTEN = _words("""
    methodist baptist catholic presbyterian lutheran adventist jewish mercy trinity providence grace hope sinai
    joseph mary john luke francis vincent elizabeth anthony james paul peter thomas michael agnes ann anne rose
    sacred holy cross good samaritan summit unity premier horizon liberty heritage legacy franklin washington
    lincoln jefferson madison jackson riverside lakeside hillside mountain highland metro metropolitan midwest
    coast coastal star sun sunrise green blue white wellspring family renal kidney spine bone joint sleep pain
    foot ankle skin hearing allergy asthma arthritis diabetes oral care
""")
_SHORT_FOR = """
    ri=rhode island; nj=new jersey; ny=new york; nc=north carolina; nh=new hampshire; nm=new mexico; wv=west virginia;
    fl=florida; tx=texas; tn=tennessee; ky=kentucky; wa=washington; vamc=veteran affair medical center;
    univ=university; hosp=hospital; hosps=hospital; ctr=center; cntr=center; centre=center; centres=center;
    centers=center; med=medical; medicine=medical; dept=department; dep=department; departments=department;
    svc=service; svcs=service; serv=service; svs=service; assoc=associate; assocs=associate; assn=associate;
    association=associate; associations=associate; st=saint; ste=saint; mt=mount; ft=fort; hlth=health;
    healthcare=health care; natl=national; intl=international; int=international; mgmt=management;
    mgt=management; dist=district; cty=county; cnty=county; grp=group; sys=system; govt=government;
    gov=government; admin=administration; comm=community; cmty=community; reg=regional; rgnl=regional;
    mem=memorial; meml=memorial; ins=insurance; tech=technology; technologies=technology; phys=physician;
    orthopaedic=orthopedic; orthopaedics=orthopedic; paediatric=pediatric; paediatrics=pediatric;
    gynaecology=gynecology; labs=laboratory; lab=laboratory; laboratories=laboratory; rehab=rehabilitation;
    pharm=pharmacy; pharmacies=pharmacy; univeristy=university; va=veteran affair; dentistry=dental;
    bros=brothers; mfg=manufacturing; edu=education; sch=school; bd=board; auth=authority;
    bcbs=blue cross blue shield; bluecross=blue cross; blueshield=blue shield; nw=northwest; ne=northeast;
    sw=southwest; se=southeast; no=north; so=south; ave=avenue; surgeons=surgery; surgical=surgery;
    physicians=physician; familycare=family care
"""
# Abbreviations, other spellings, and other words for the same, written out.
WHOLE = {short.strip(): whole.strip() for short, _, whole in (pair.partition("=") for pair in _SHORT_FOR.split(";"))}
# Words that part what is otherwise one name: a hospital has a sister in the west of its town.
COMPASS = _words("""
    north south east west northern southern eastern western northeast northwest southeast southwest northeastern
    northwestern southeastern southwestern upper lower
""")
