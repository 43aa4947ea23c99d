//! What examples state: FHIR.

use super::Said;

pub const FHIR: [Said; 8] = [
    Said {
        file: "fhir-test-cases-1.5.0/org/hl7/fhir/testcases/r4/examples/patient-example.json",
        is_all: true,
        lines: "
            family_name: Chalmers
            given_names: Peter James
            birth_date: 1974-12-25
            sex: male
            phone: 0355556473
            phone: 0334105613
            address: 534 Erewhon St, PleasantVille, Rainbow, Vic
            postcode: 3999
        ",
    },
    Said {
        file: "fhir-test-cases-1.5.0/org/hl7/fhir/testcases/r4/examples/medicationstatementexample1.json",
        is_all: true,
        lines: "
            medicine: Tylenol PM; 500 mg/25 mg; film-coated tablet; dose 1-2 tablets once daily at bedtime as needed for restless legs; route oral; from 2015-01-23; active; code http://hl7.org/fhir/sid/ndc 50580-506-02
        ",
    },
    Said {
        file: "fhir-test-cases-1.5.0/org/hl7/fhir/testcases/r4/examples/medicationrequest0301.json",
        is_all: true,
        lines: "
            medicine: Oral Form Oxycodone; dose one to two tablets every 4-6 hours as needed for rib pain; route oral; from 2015-01-15; completed; code snomed 430127000
        ",
    },
    Said {
        file: "fhir-test-cases-1.5.0/org/hl7/fhir/testcases/r4/examples/allergyintolerance-example.json",
        is_all: true,
        lines: "
            allergy: Cashew nuts; reaction Anaphylactic reaction, Urticaria; code snomed 227493005
        ",
    },
    Said {
        file: "fhir-test-cases-1.5.0/org/hl7/fhir/testcases/validator/uk-msg.json",
        is_all: true,
        lines: "
            nhs_number: 9657847419
            family_name: HOMAN
            given_names: Amos Lloyd
            birth_date: 1985-03-12
            sex: male
            phone: 07000123123
            address: 1 Dalmatian Way, Broughton, BRIGG
            postcode: DN20 0ET
            medicine: Paracetamol; 500 mg; tablet; dose test; from 2021-06-25; active; code snomed 322236009
            medicine: Amoxicillin; 125 mg/5 ml; oral suspension sugar free; dose test; from 2021-06-25; active; code snomed 35901911000001104
            medicine: Ibuprofen; 200 mg; tablet; dose 2 Four Times Daily; from 2021-06-25; active; code snomed 329652003
            medicine: Aspirin; 300 mg; dispersible tablet; dose Take ONE Four Times Daily; from 2021-06-25; active; code snomed 39695211000001102
        ",
    },
    Said {
        file: "fhir-test-cases-1.5.0/org/hl7/fhir/testcases/validator/ips-nz-pj.json",
        is_all: true,
        lines: "
            family_name: Test-Fuimaono
            given_names: Iosefa
            birth_date: 1950-07-04
            sex: male
            address: Flat 1, 1 Brooklyn Road, Claudelands, Hamilton, NZ
            postcode: 3214
            medicine: insulin glargine; 100 unit/ml; injection 10 mL vial; dose Inject 20 units per day into your upper arms, abdomen or thights.You should vary the site where you inject each dose of Lantus. This helps reduce your risk of certain side effects, such as pits or lumps in your skin.; route subcutaneous; from 2023-02-12; active; code snomed 126212009
            medicine: dulaglutide; 1.5 mg/0.5 ml; injection prefilled injection device; dose Inject once a week, on the same day each week, into the skin of your stomach, thigh or upper arm. You can use the same area of your body each time, but choose a different place within that area. You can inject it any time of the day, with or without meals.; route subcutaneous; from 2023-02-12; active; code snomed 714081009
            medicine: metformin hydrochloride; 1000 mg; tablet; dose Take ONE tablet, two times a day, with meals.; route oral; from 2023-02-12; active; code snomed 109081006
            medicine: amlodipine; 5 mg; tablet; dose Take ONE tablet at any time of day, but try to make sure it's around the same time every day.; route oral; from 2023-02-12; active; code snomed 108537001
            medicine: losartan potassium; 50 mg; tablet; dose Take ONE tablet daily; route oral; from 2023-02-12; active; code snomed 96309000
            medicine: aspirin; 75 mg; tablet enteric-coated; dose Take ONE tablet daily; route oral; from 2023-02-12; active; code snomed 7947003
            medicine: allopurinol; 300 mg; tablet; dose Take ONE tablet daily, after meals; route oral; from 2023-02-12; active; code snomed 25246002
            allergy: Flucloxacillin-containing product; reaction Penicillin adverse reaction; code snomed 96067005
            allergy: Diazepam-containing product; reaction Diazepam adverse reaction; code snomed 48546005
        ",
    },
    Said {
        file: "fhir-test-cases-1.5.0/org/hl7/fhir/testcases/validator/bundle-mni-patientOverview-bundle-example1.json",
        is_all: true,
        lines: "
            family_name: Muster
            given_names: Anna Paola
            birth_date: 1985-12-12
            sex: female
            phone: 0615617461
            phone: 0615617462
            address: Pfeffingerstrasse 19, Reinach, CH
            postcode: 4153
            medicine: ASPIRIN C Brausetabl 10 Stk; dose 1, 0, 1, 0; from 2020-01-01; active; code urn:oid:2.51.1.1 7680336700282
            medicine: Paracetamol Axapharm Filmtabl Ds; 500 mg; 100 Stk; dose 1-0-1-0; from 2020-01-01; until 2020-02-01; active; code urn:oid:2.51.1.1 7680669830038
            medicine: Aspirin C Brausetabl 10 Stk; dose 1; from 2020-01-01; active; code urn:oid:2.51.1.1 7680336700282
            allergy: Allergy to peanuts; code snomed 91935009
            allergy: Allergy to cow's milk; code snomed 3718001
        ",
    },
    Said {
        file: "fhir-test-cases-1.5.0/org/hl7/fhir/testcases/validator/bundle-urn.json",
        is_all: true,
        lines: "
            family_name: Gravitate
            given_names: Maria
            birth_date: 1946-05-05
            sex: female
            medicine: oxymetazoline hydrochloride; 0.5 mg/ml; nasal spray; route nasal; active; code rxnorm 1000990
        ",
    },
];
