//! What people, streets and medicines are called here.

pub(super) const FAMILY_NAMES: [&str; 16] = [
    "Ashworth",
    "O'Toole",
    "Blackwood",
    "Carrington",
    "Devereux",
    "Fairclough",
    "Greenhalgh",
    "Hathaway",
    "Kirkbride",
    "Lancaster",
    "Meadowcroft",
    "Northcott",
    "Pemberton",
    "Ravenscroft",
    "Thistlewood",
    "Wainwright",
];
pub(super) const GIVEN_NAMES: [(&str, &str); 16] = [
    ("Alice", "female"),
    ("Benjamin", "male"),
    ("Charlotte", "female"),
    ("David", "male"),
    ("Eleanor", "female"),
    ("Frederick", "male"),
    ("Georgina", "female"),
    ("Harold", "male"),
    ("Isobel", "female"),
    ("Jonathan", "male"),
    ("Katherine", "female"),
    ("Leonard", "male"),
    ("Margaret", "female"),
    ("Nicholas", "male"),
    ("Patricia", "female"),
    ("Robert", "male"),
];
pub(super) const STREETS: [&str; 8] = [
    "Trevelyan Square",
    "Orchard Road",
    "Station Lane",
    "Church Street",
    "Victoria Terrace",
    "Mill Hill",
    "Park Avenue",
    "Quarry Bank",
];
/// Towns with the beginning of their postcodes.
pub(super) const TOWNS: [(&str, &str); 8] = [
    ("Leeds", "LS"),
    ("York", "YO"),
    ("Bristol", "BS"),
    ("Norwich", "NR"),
    ("Exeter", "EX"),
    ("Durham", "DH"),
    ("Bath", "BA"),
    ("Oxford", "OX"),
];
/// Name, strength, form, dose, route. The codes are invented.
pub(super) const MEDICINES: [[&str; 6]; 10] = [
    ["9000010001", "Paracetamol", "500 mg", "tablet", "2 tablets four times a day", "oral"],
    ["9000010002", "Amoxicillin", "250 mg/5 ml", "oral suspension", "5 ml three times a day", "oral"],
    ["9000010003", "Atorvastatin", "20 mg", "tablet", "1 tablet at night", "oral"],
    ["9000010004", "Ramipril", "5 mg", "capsule", "1 capsule once a day", "oral"],
    ["9000010005", "Salbutamol", "100 microgram/dose", "inhaler", "2 puffs when required", "inhalation"],
    ["9000010006", "Metformin", "850 mg", "tablet", "1 tablet twice a day", "oral"],
    ["9000010007", "Levothyroxine", "25 microgram", "tablet", "1 tablet once a day", "oral"],
    ["9000010008", "Betamethasone", "0.1%", "cream", "apply thinly twice a day", "topical"],
    ["9000010009", "Insulin glargine", "100 unit/ml", "injection", "10 units at night", "subcutaneous"],
    ["9000010010", "Omeprazole", "20 mg", "capsule", "1 capsule before breakfast", "oral"],
];
/// Code, substance, reaction. The codes are invented.
pub(super) const ALLERGIES: [[&str; 3]; 5] = [
    ["9100010001", "Penicillin", "rash"],
    ["9100010002", "Latex", "swelling"],
    ["9100010003", "Peanut", "anaphylaxis"],
    ["9100010004", "Aspirin", "wheeze"],
    ["9100010005", "Codeine", "nausea, vomiting"],
];
