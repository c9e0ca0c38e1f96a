"""What column names say: words of headers in English and French (and what Spanish, Portuguese and German files use).

Pure data. A header is parted into words, each word is brought to one form (`ONE_FORM`), and the phrases of an element
are looked for among them. An entry of `ONE_FORM` may stand for several words, so that a name written together (`fname`)
reads like one written apart.
"""

from __future__ import annotations

GIVEN_NAME, FAMILY_NAME, FULL_NAME, NAME = "given name", "family name", "full name", "name"
BIRTH_DATE, ADDRESS, POSTAL_CODE = "birth date", "address", "postal code"
HEALTH_CARD, NATIONAL_NUMBER, RECORD_NUMBER = "health card", "national number", "record number"
POLICY_NUMBER, ACCOUNT_NUMBER = "policy number", "account number"
PHONE, EMAIL, ONLINE = "phone", "e-mail", "online address"
SEX, AGE, MUNICIPALITY, REGION, ORIGIN = "sex", "age", "municipality", "region", "origin or language"
EVENT_DATE, DEATH_DATE = "date of care or event", "date of death"
CLINICAL_CODE, LAB_RESULT, BIRTH_MEASURE = "clinical code", "test or result", "birth measure"
PREGNANCY, BIRTH, FERTILITY, OUTCOME = "pregnancy", "type of birth or procedure", "fertility treatment", "outcome"
RISK, NOTES, FACILITY, PROVIDER, PAYMENT = "risk factor", "free text", "facility", "care giver", "payment"

# What tells by itself who somebody is; the rest tells something about them.
IDENTIFIERS = frozenset([
    GIVEN_NAME, FAMILY_NAME, FULL_NAME, NAME, BIRTH_DATE, ADDRESS, POSTAL_CODE, HEALTH_CARD, NATIONAL_NUMBER,
    RECORD_NUMBER, POLICY_NUMBER, ACCOUNT_NUMBER, PHONE, EMAIL, ONLINE,
])  # fmt: skip
NAMES = frozenset([GIVEN_NAME, FAMILY_NAME, FULL_NAME, NAME])

MOTHER, CHILD, FATHER, PATIENT, CONTACT, STAFF = "mother", "child", "father", "patient", "contact", "staff"

# What words of a header stand for: first that, then the words; a line that is set in goes on with the one above.
_ONE_FORM = """
mother: mom mum moms mothers mthr moth mat maternal mere mae madre mutter parturient birthparent gestational mo
child: infant inf baby babys bb bebe newborn nb neonate neonatal enfant kid childs infants nouveaune nourrisson bub
    twin rn hijo
father: dad fathers fthr fath pere paternal partner conjoint pai padre spouse coparent husband parent2 fa
patient: pt pat pts client clients member person subject individual enrollee beneficiary recipient usager
    participant resident paciente bene mbr cust customers assure subscriber insured donor student employee
contact: nok emergency kin guardian guarantor tuteur caregiver parent relative contactperson
staff: provider physician doctor doctors dr nurse midwife midwives clinician attending medecin gp prescriber
    practitioner surgeon obstetrician author operator user staff attendant registrar certifier sagefemme caller
    embryologist technician interpreter submitter approver reviewer pediatrician paediatrician ob mw referring
given name: fname firstname givenname givennames forename forenames prenom prenoms vorname fnm firstnm gname
    frstname prenome givname
family name: lname lastname surname surnames familyname lnm lastnm apellido apellidos sobrenome nachname nomfamille
    sname famname surnm
middle name: mname middlename midname mi mid minit
full name: fullname completename firstlast lastfirst
maiden name: maidn maidenname maiden birthname formername
name: nm nom nome nombre noms nam3
preferred name: nickname alias
date: dt dte datum fecha datetime dat
birth date: dob birthdate birthdt bdate dateofbirth datenaissance ddn dtnasc birthday birthdte dobirth bday birth_dt
    bthdate dn geburtsdatum brthdt dtob doblong datebirth dtnascimento datenaiss
birth: born naissance nascimento nacimiento naiss bth brth nasc nee
death date: death dod died deces deceased dthdate obito deathdate
child birth date: idob
child birth date: idob
household id: hh hhid famid familyid
(nothing): dd mm yyyy yy ymd mdy dmy yyyymmdd iso txt str fld field value val col orig raw text desc the of de du
    des la le da do and at for s d l full_ primary current curr clean std cd_ new old latest legal main
number: no num nbr nr numero nro no. nmbr numb n
id: identifier ident ids identifiant identificador uid guid uuid key pid_ identification
health card: hcn ohip phn healthcard healthcardnumber nhs nhsno nhsnumber ramq nam hcno healthnumber phin ulI mcp
    msi carecard healthcareno medicare medicareid mbi chi ihi healthno hn hin ahcip cns cartesus hic hicn medicaid
    uli assurancemaladie hcnumber hcnum hlthcard
national number: ssn sin socsec nas cpf nino nir dni socialsecurity ssnum nationalid socsecid curp bsn cpr tin itin
    ss socialinsurance ssno ssnbr passport passeport licence license drivers dl
record number: mrn medrec medicalrecord chartno chart dossier mr hospno unitnumber mpi empi mrno umrn chartnumber
    medrecno mrnumber hospitalnumber casenote prontuario nodossier patid ptid patno patientno patientid clientid
    memberid studyid personid subjectid caseid recid recordid recno visitid encounterid pid accession accessionno
    csn eid fin enc simulantid filenumber specimenid sampleid barcode
account: acct acctno compte iban accountno creditcard cardnumber ccnum
insurance: ins insur insurance assurance policyno plan payer payor coverage
insurance number: policynumber subscriberid groupno
address: addr adr adresse addresse endereco direccion add1 address1 address2 addr1 addr2 addressline streetaddress
    homeaddress mailingaddress ad1 ad2 addrline addrs anschrift logradouro add
street: stname stnum str1 street1 street2 rue calle strasse streetname streetno streetnumber civic
unit: unum apt apartment suite pobox flat
postal code: postcode postalcode zip zipcode zip5 zip9 codepostal cp cep pcode postal zipcd postcd fsa plz poscode
    postalcd pc
municipality: city town municipality ville suburb municipio ciudad village locality municipalite cidade county
    bairro township borough cityname codmunres munic
region: state province prov country pays territory region uf pais lhin nation estado terr cntry statecode st statecd
phone: tel telephone ph phoneno phonenumber cell mobile cellphone homephone workphone fax telefone telefono mobileno
    cellulaire phone1 phone2 tel1 tel2 portable contactno contactnumber telno phonenum celular
email: mail courriel emailaddress emailaddr correo eml e
online: url website ipaddress ip username login userid twitter facebook mac deviceid photo
sex: gender sexe sx sexo gndr genre
facility: hosp hospital clinic site clinique hopital centre center facilityid org organization organisation
    institution agency lab laboratory pharmacy school company vendor fac etab etablissement employer establishment
    entity associate dept department ward unitname practice branch store bank codestab cnes hospitals business
    covered program programme instituicao clinics labs
clinical: icd icd10 icd9 icd10ca cim cim10 cci cpt snomed loinc dx diag diagnosis diagnostic diagnoses proc
    procedure hcpcs drg atc ndc din rxnorm cid diagnose icdcode codanomal condition intervention sct cid10 mbs
result: result results resultat lab_ test analyte assay screen screening titre hemoglobin glucose tsh hgb serology
    obx specimen culture antibody hcg panel reading bilirubin rubella gbs hepb hiv syphilis depistage
measure: wt weight poids peso bwt birthweight bw dbwt brthwt wtgain weightg birthwt grams length headcirc apgar
    apgar1 apgar5 apgar10 hc headcircumference bweight
pregnancy: ga gestation gestage estgest combgest gestweeks lmp edd edc ddr dpa gravida parity prenatal antenatal
    pregnancy grossesse pregnant gestacao previs precare visits trimester para gtpal fundal gest weeks upnatal
    obstetric
delivery: delivery accouchement delmode dmeth csection cesarean caesarean labour labor induction presentation
    plurality birthorder dplural mode parto vaginal epidural anesthesia forceps route multiple livebirth deliv vbac
    confinement
fertility: ivf fiv embryo embryos oocyte oocytes egg eggs cycle fertility retrieval transfer iui icsi sperm
    blastocyst stim amh fet art donoregg
outcome: outcome stillbirth issue nicu discharge disposition complication anomaly anomalies transferto ilive
    morbidity outcomes
risk: smoke smoker smoking cig tobacco alcohol drug drugs bmi diabetes hypertension risk rf medication med meds
    allergy allergies comorbidity substance medications
origin: race ethnicity ethnic language langue indigenous hisp hispanic religion raca citizenship nationality band
    origin mracehisp racehisp marital educ education edu occupation meduc
notes: notes note comment comments remarks narrative remarques memo freetext message summary details observations
    commentaire commentaires obs impression
age: yob birthyear age_ idade mage mager fage fagecomb ageyears yrs
event: admission admit adm visit service collected collection received encounter appointment appt dos svc procdate
    collect scheduled exam followup visite admitted surgery treatment refill dispensed referral event consult
    referred
payment: cost amount paid charge billed price payment claim balance fee montant income salary
stamp: created modified updated loaded inserted extract export timestamp upload refreshed reported entered
    submission posted
thing: file filename table column variable product item server host project event_ category type status class
    dataset schema source campaign brand model device attribute report flag f indicator ind imputed recode code cd
    count total score label title version sheet system format role relationship group list verified known missing
    quality valid
"""


def _read(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    meant = ""
    for line in text.strip().splitlines():
        told, _, listed = ("", "", line) if line.startswith(" ") else line.partition(":")
        meant = told or meant
        found |= dict.fromkeys(listed.split(), "" if meant == "(nothing)" else meant)
    return found


ONE_FORM = _read(_ONE_FORM)
# element -> phrases: every word must be there; the first that fits wins, most specific first.
PHRASES: tuple[tuple[str, str], ...] = (
    ("health card", HEALTH_CARD),
    ("health number", HEALTH_CARD),
    ("health id", HEALTH_CARD),
    ("assurance maladie", HEALTH_CARD),
    ("insurance maladie", HEALTH_CARD),
    ("carte sante", HEALTH_CARD),
    ("care card", HEALTH_CARD),
    ("national number", NATIONAL_NUMBER),
    ("national id", NATIONAL_NUMBER),
    ("social security", NATIONAL_NUMBER),
    ("social insurance", NATIONAL_NUMBER),
    ("soc sec", NATIONAL_NUMBER),
    ("tax id", NATIONAL_NUMBER),
    ("birth certificate", RECORD_NUMBER),
    ("record number", RECORD_NUMBER),
    ("medical record", RECORD_NUMBER),
    ("facility number", RECORD_NUMBER),
    ("case number", RECORD_NUMBER),
    ("insurance number", POLICY_NUMBER),
    ("insurance id", POLICY_NUMBER),
    ("policy", POLICY_NUMBER),
    ("account", ACCOUNT_NUMBER),
    ("credit card", ACCOUNT_NUMBER),
    ("email", EMAIL),
    ("phone", PHONE),
    ("online", ONLINE),
    ("death date", DEATH_DATE),
    ("birth date", BIRTH_DATE),
    ("preferred name", GIVEN_NAME),
    ("given name", GIVEN_NAME),
    ("first name", GIVEN_NAME),
    ("middle name", GIVEN_NAME),
    ("middle initial", GIVEN_NAME),
    ("christian name", GIVEN_NAME),
    ("maiden name", FAMILY_NAME),
    ("family name", FAMILY_NAME),
    ("last name", FAMILY_NAME),
    ("second name", FAMILY_NAME),
    ("name famille", FAMILY_NAME),
    ("name fille", FAMILY_NAME),
    ("full name", FULL_NAME),
    ("name", FULL_NAME),
    ("postal code", POSTAL_CODE),
    ("post code", POSTAL_CODE),
    ("code postal", POSTAL_CODE),
    ("address", ADDRESS),
    ("street", ADDRESS),
    ("house number", ADDRESS),
    ("civic number", ADDRESS),
    ("residence line", ADDRESS),
    ("municipality", MUNICIPALITY),
    ("region", REGION),
    ("sex", SEX),
    ("birth year", AGE),
    ("birth month", AGE),
    ("age", AGE),
    ("clinical", CLINICAL_CODE),
    ("fertility", FERTILITY),
    ("pregnancy", PREGNANCY),
    ("measure", BIRTH_MEASURE),
    ("delivery", BIRTH),
    ("result", LAB_RESULT),
    ("outcome", OUTCOME),
    ("risk", RISK),
    ("origin", ORIGIN),
    ("payment", PAYMENT),
    ("event date", EVENT_DATE),
    ("event", EVENT_DATE),
    ("insurance", PAYMENT),
    ("notes", NOTES),
    ("facility", FACILITY),
    ("unit", ADDRESS),
)
# Prefixes that are written together with what follows: `momfname`, `infdob`.
GLUED = (
    ("mother", MOTHER), ("maternal", MOTHER), ("mom", MOTHER), ("mum", MOTHER), ("mere", MOTHER), ("mth", MOTHER),
    ("infant", CHILD), ("newborn", CHILD), ("child", CHILD), ("baby", CHILD), ("inf", CHILD), ("enfant", CHILD),
    ("bb", CHILD),
    ("father", FATHER), ("dad", FATHER), ("pere", FATHER), ("fth", FATHER), ("partner", FATHER),
    ("patient", PATIENT), ("client", PATIENT), ("member", PATIENT), ("subscriber", PATIENT), ("person", PATIENT),
    ("pat", PATIENT), ("pt", PATIENT), ("mbr", PATIENT), ("bene", PATIENT), ("cust", PATIENT),
    ("guarantor", CONTACT), ("guardian", CONTACT), ("nok", CONTACT), ("contact", CONTACT),
    ("provider", STAFF), ("physician", STAFF), ("doctor", STAFF), ("dr", STAFF), ("midwife", STAFF),
    ("home", ""), ("mailing", ""), ("work", ""), ("res", ""), ("primary", ""), ("cur", ""),
    ("m", MOTHER), ("b", CHILD), ("f", FATHER), ("p", PATIENT), ("c", CHILD),
)  # fmt: skip
