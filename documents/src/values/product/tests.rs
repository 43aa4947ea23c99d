#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

#[test]
fn name_strength_and_form_are_told_apart() {
    for (text, name, strength, form) in [
        ("Paracetamol 500mg tablets", "Paracetamol", "500 mg", "tablet"),
        ("Paracetamol 500 mg tablet", "Paracetamol", "500 mg", "tablet"),
        ("Amoxicillin 250mg/5ml oral suspension", "Amoxicillin", "250 mg/5 ml", "oral suspension"),
        ("Co-codamol 8mg/500mg tablets", "Co-codamol", "8 mg/500 mg", "tablet"),
        ("Salbutamol 100micrograms/dose inhaler CFC free", "Salbutamol", "100 microgram/dose", "inhaler cfc free"),
        ("Insulin glargine 100units/ml", "Insulin glargine", "100 unit/ml", ""),
        ("Betamethasone 0.1% cream", "Betamethasone", "0.1%", "cream"),
        ("Heparin 10,000 units/1 ml injection", "Heparin", "10000 unit/ml", "injection"),
        ("Levothyroxine 25 mcg tab", "Levothyroxine", "25 microgram", "tablet"),
        ("Albuterol 0.09 MG/ACTUAT inhalant solution", "Albuterol", "0.09 mg/actuation", "inhalant solution"),
        (
            "Bimatoprost 0.1 MG/ML Ophthalmic Solution [Lumigan]",
            "Bimatoprost [Lumigan]",
            "0.1 mg/ml",
            "ophthalmic solution",
        ),
        ("Insulin 100 international units/mL injection", "Insulin", "100 unit/ml", "injection"),
        ("Aspirin 75 mg tablet: enteric-coated", "Aspirin", "75 mg", "tablet enteric-coated"),
        ("A 3 MG/ML / B 1 MG/ML Otic Suspension", "A / B", "3 mg/ml / 1 mg/ml", "otic suspension"),
        ("A 25/B 37.5MG tab", "A 25/B 37.5MG", "", "tablet"),
        ("Calcium 600 mg-800 unit-40 mg chew tablet", "Calcium 600 mg-800 unit-40 mg chew", "", "tablet"),
        ("Paracetamol tablets", "Paracetamol", "", "tablet"),
        ("Aqueous cream", "Aqueous cream", "", ""),
        ("Vitamin B12", "Vitamin B12", "", ""),
        ("Simple linctus 200 ml", "Simple linctus 200 ml", "", ""),
        ("Factor 8 500 units (Haemate)", "Factor 8 (Haemate)", "500 unit", ""),
        ("500 mg", "500 mg", "", ""),
        ("", "", "", ""),
    ] {
        let product = split(text);
        let found = (product.name.as_str(), product.strength.as_str(), product.form.as_str());
        assert_eq!(found, (name, strength, form), "{text}");
    }
}

#[test]
fn a_dose_behind_the_form_is_not_part_of_it() {
    assert_eq!(split("Paracetamol 500mg tablets 1 tablet twice a day").rest, "1 tablet twice a day");
    assert_eq!(split("Paracetamol 500mg tablets take two").rest, "take two");
}

#[test]
fn a_strength_or_a_form_may_stand_alone() {
    assert_eq!(strength("500mg").as_deref(), Some("500 mg"));
    assert_eq!(strength("250 mg/5 ml").as_deref(), Some("250 mg/5 ml"));
    assert_eq!(strength("5 ml"), None);
    assert_eq!(strength("twice a day"), None);
    assert_eq!(form("Tablets").as_deref(), Some("tablet"));
    assert_eq!(form("modified-release capsules").as_deref(), Some("modified-release capsule"));
    assert_eq!(form("1 tablet twice a day"), None);
}
