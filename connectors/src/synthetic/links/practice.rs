//! One practice: what it sends to its Health Authorities, and what they answer.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::numbering::{Fate, Numbering};
use super::{Delivery, LinkTraffic, LinkTrafficSettings, Planted, PlantedFault};
use crate::synthetic::numbers::SplitMix;
use concord_edifact::{
    InterchangeCode, InterchangeHeader, InterchangeWriter, LARGEST_GP_TRANSACTION, LARGEST_REFERENCE, MessageCode,
    MessageReceipt, Receipt, RegistrationText, TransactionText,
};

/// Interchanges at either end of an epoch that have no fault: what is lost there nothing can reveal.
const WITHOUT_FAULTS: u32 = 4;
const LETTERS: u32 = 26;
/// How long an interchange is on its way at most, as a share of the grace period. A practice with two links sends on both at once, so
/// that a transaction may be missed as soon as it is sent; what is left of the grace period is left to those who read it.
const ON_ITS_WAY: f64 = 0.6;

/// What is planted in one interchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Lost,
    Late,
    SentAgain,
    SentDifferent,
    NeverAnswered,
}

pub(super) struct Practice<'settings> {
    settings: &'settings LinkTrafficSettings,
    draw: SplitMix,
    code: String,
    transactions: Numbering,
    links: Vec<Link>,
}

struct Link {
    authority: String,
    cipher: String,
    interchanges: Numbering,
    messages: Numbering,
    answers: Numbering,
    answer_messages: Numbering,
    /// What the authority answers, in the order of its time.
    due: BTreeMap<(Timestamp, usize), Receipt>,
    /// What arrived there, and is to be acknowledged.
    arrived: BTreeSet<(u64, u64)>,
}

impl<'settings> Practice<'settings> {
    pub(super) fn new(settings: &'settings LinkTrafficSettings, index: u32) -> Self {
        let mut draw = SplitMix::of_person(settings.seed, u64::from(index));
        let code = format!("{}5", letters(index));
        let mut first = |largest: u64| {
            // Every fourth line goes over its end.
            if draw.below(4) == 0 { largest - draw.below(10) } else { 1 + draw.below(largest / 2) }
        };
        let transactions = Numbering::new("tn", &code, "", LARGEST_GP_TRANSACTION, first(LARGEST_GP_TRANSACTION));
        let links = if index.is_multiple_of(3) { 2 } else { 1 };
        let links = (0..links).map(|place| {
            let cipher = letters(index.wrapping_mul(7) + place);
            let authority = format!("{cipher}1");
            let mut of = |counter, sender: &str, recipient: &str| {
                Numbering::new(counter, sender, recipient, LARGEST_REFERENCE, first(LARGEST_REFERENCE))
            };
            Link {
                interchanges: of("sis", &code, &authority),
                messages: of("sms", &code, &authority),
                answers: of("sis", &authority, &code),
                answer_messages: of("sms", &authority, &code),
                authority,
                cipher,
                due: BTreeMap::new(),
                arrived: BTreeSet::new(),
            }
        });
        let links = links.collect();
        Self { settings, draw, code, transactions, links }
    }

    pub(super) fn send_all(mut self, traffic: &mut LinkTraffic) {
        let interchanges = self.settings.interchanges;
        let change_of_epoch = (interchanges >= 20).then_some(interchanges / 2);
        let mut at = self.settings.start;
        let spacing = self.settings.grace / 4;
        for place in 0..interchanges {
            if change_of_epoch == Some(place) {
                // Whoever sets up a link anew takes longer than what is under way.
                at += self.settings.grace * 5;
                // The first link of a practice keeps its numbers.
                for link in self.links.iter_mut().skip(1) {
                    link.interchanges.begin_elsewhere(&mut traffic.planted);
                    link.messages.begin_elsewhere(&mut traffic.planted);
                }
            }
            let epoch_ends = change_of_epoch.into_iter().chain([interchanges]).find(|&end| place < end);
            let epoch_begins = change_of_epoch.filter(|&begin| place >= begin).unwrap_or_default();
            let may_fail =
                place >= epoch_begins + WITHOUT_FAULTS && epoch_ends.is_some_and(|end| place + WITHOUT_FAULTS < end);
            for link in 0..self.links.len() {
                self.send(link, at, may_fail, traffic);
            }
            at += spacing;
        }
        self.transactions.end_epoch(&mut traffic.planted);
        for mut link in std::mem::take(&mut self.links) {
            link.interchanges.end_epoch(&mut traffic.planted);
            link.messages.end_epoch(&mut traffic.planted);
            self.answer(link, traffic);
        }
    }

    fn send(&mut self, place: usize, at: Timestamp, may_fail: bool, traffic: &mut LinkTraffic) {
        let fault = if may_fail { self.draw_fault() } else { Fault::None };
        let fate = match fault {
            Fault::Lost => Fate::Lost,
            Fault::Late => Fate::Late,
            _ => Fate::Arrives,
        };
        let sis = self.links[place].interchanges.give(fate);
        let mut messages: Vec<(u64, Vec<u64>)> = Vec::new();
        for _ in 0..=self.draw.below(3) {
            let transactions = (0..=self.draw.below(2)).map(|_| self.transactions.give(fate)).collect();
            messages.push((self.links[place].messages.give(fate), transactions));
        }
        let text = self.text(place, sis, at, &messages, "A");
        let arrival = at + self.up_to(self.settings.grace.mul_f64(ON_ITS_WAY));
        let link = &self.links[place];
        let mut faults = Vec::new();
        match fault {
            Fault::Lost => return,
            Fault::Late => {
                let late = at + self.settings.grace * 6;
                traffic.deliveries.push(Delivery { at: late, text });
            }
            Fault::SentAgain | Fault::SentDifferent => {
                let second = if fault == Fault::SentAgain {
                    faults.push(link.interchanges.fault(Planted::SentAgain, sis, sis));
                    text.clone()
                } else {
                    let kind = Planted::SentDifferent;
                    faults.push(link.interchanges.fault(kind, sis, sis));
                    for (sms, transactions) in &messages {
                        faults.push(link.messages.fault(kind, *sms, *sms));
                        faults.extend(transactions.iter().map(|&tn| self.transactions.fault(kind, tn, tn)));
                    }
                    self.text(place, sis, at, &messages, "B")
                };
                let again = at + self.settings.grace + self.up_to(self.settings.grace);
                traffic.deliveries.push(Delivery { at: arrival, text });
                traffic.deliveries.push(Delivery { at: again, text: second });
            }
            Fault::None | Fault::NeverAnswered => traffic.deliveries.push(Delivery { at: arrival, text }),
        }
        traffic.planted.extend(faults);
        let answered_from = if fault == Fault::Late { at + self.settings.grace * 6 } else { at };
        let answers = match fault {
            Fault::NeverAnswered => 0,
            Fault::SentAgain | Fault::SentDifferent => 2,
            _ => 1,
        };
        for number in 0..answers {
            let delay = self.up_to(self.settings.grace / 4) + self.settings.grace * number;
            self.acknowledge(place, sis, &messages, answered_from + delay, may_fail);
        }
        self.links[place].arrived.extend(messages.iter().map(|&(sms, _)| (sis, sms)));
    }

    /// The authority notes down what it will answer.
    fn acknowledge(
        &mut self,
        place: usize,
        interchange: u64,
        messages: &[(u64, Vec<u64>)],
        at: Timestamp,
        may_fail: bool,
    ) {
        let mut receipts = Vec::new();
        for &(message, _) in messages {
            receipts.push(MessageReceipt { message, code: Some(MessageCode::Success) });
        }
        let mut receipt = Receipt {
            interchange,
            code: Some(InterchangeCode::Received),
            stated_messages: Some(messages.len() as u64),
            messages: receipts,
        };
        if may_fail && self.draw.per_mille(self.settings.faults_per_mille) {
            // Which of its messages is refused is decided when the answer is known to arrive.
            receipt.code = Some(InterchangeCode::InvalidData);
        }
        let link = &mut self.links[place];
        let order = link.due.len();
        link.due.insert((at, order), receipt);
        if may_fail && self.draw.per_mille(self.settings.faults_per_mille) {
            let (interchange, message) = (link.interchanges.far_ahead(), link.messages.far_ahead());
            // Some speak of their interchange alone.
            let mut messages = vec![MessageReceipt { message, code: Some(MessageCode::Success) }];
            messages.truncate((interchange % 2) as usize);
            let stray = Receipt {
                interchange,
                code: Some(InterchangeCode::Received),
                stated_messages: Some(messages.len() as u64),
                messages,
            };
            let order = link.due.len();
            link.due.insert((at, order), stray);
        }
    }

    /// The authority sends what it noted down.
    fn answer(&mut self, mut link: Link, traffic: &mut LinkTraffic) {
        let due = std::mem::take(&mut link.due);
        let answers = due.len();
        let mut acknowledged = BTreeSet::new();
        for (place, ((at, _), mut receipt)) in due.into_iter().enumerate() {
            let may_fail = place >= WITHOUT_FAULTS as usize && place + (WITHOUT_FAULTS as usize) < answers;
            let is_lost = may_fail && self.draw.per_mille(self.settings.faults_per_mille);
            let fate = if is_lost { Fate::Lost } else { Fate::Arrives };
            let (sis, sms) = (link.answers.give(fate), link.answer_messages.give(fate));
            if is_lost {
                continue;
            }
            let of_message = |kind, message| link.messages.fault(kind, message, message);
            let of_interchange = |kind| link.interchanges.fault(kind, receipt.interchange, receipt.interchange);
            let is_refused = receipt.code == Some(InterchangeCode::InvalidData);
            if is_refused {
                traffic.planted.insert(of_interchange(Planted::Refused));
                if let Some(refused) = receipt.messages.first_mut() {
                    refused.code = Some(MessageCode::Error);
                    traffic.planted.insert(of_message(Planted::Refused, refused.message));
                }
            }
            let speaks_of_the_whole = is_refused || receipt.messages.is_empty();
            if speaks_of_the_whole && !link.arrived.iter().any(|&(arrived, _)| arrived == receipt.interchange) {
                traffic.planted.insert(of_interchange(Planted::Orphan));
            }
            for message in &receipt.messages {
                let arrived = link.arrived.contains(&(receipt.interchange, message.message));
                if !arrived {
                    traffic.planted.insert(of_message(Planted::Orphan, message.message));
                }
                acknowledged.insert((receipt.interchange, message.message));
            }
            let header = InterchangeHeader {
                sender: link.authority.clone(),
                recipient: self.code.clone(),
                prepared_at: Some(at),
                number: Some(sis),
                application: Some("RECEP".to_owned()),
            };
            let mut writer = InterchangeWriter::begin(&header);
            writer.recep(sms, &link.cipher, "4826940,281", at, &[receipt]);
            let arrival = at + self.up_to(self.settings.grace.mul_f64(ON_ITS_WAY));
            traffic.deliveries.push(Delivery { at: arrival, text: writer.finish() });
        }
        let unanswered: Vec<PlantedFault> = link
            .arrived
            .difference(&acknowledged)
            .map(|&(_, message)| link.messages.fault(Planted::NoReceipt, message, message))
            .collect();
        traffic.planted.extend(unanswered);
        link.answers.end_epoch(&mut traffic.planted);
        link.answer_messages.end_epoch(&mut traffic.planted);
    }

    fn text(&self, place: usize, sis: u64, at: Timestamp, messages: &[(u64, Vec<u64>)], content: &str) -> String {
        let link = &self.links[place];
        let header = InterchangeHeader {
            sender: self.code.clone(),
            recipient: link.authority.clone(),
            prepared_at: Some(at),
            number: Some(sis),
            application: None,
        };
        let note = format!("FTX+RGI+++NOTE {content}");
        let mut writer = InterchangeWriter::begin(&header);
        for (sms, transactions) in messages {
            let transactions = transactions.iter().map(|&number| TransactionText {
                number,
                segments: vec!["NAD+GP+4826940,281:900", &note, "S02+2", "PNA+PAT+9999999999:OPI"],
            });
            let message = RegistrationText {
                authority_cipher: &link.cipher,
                prepared_at: at,
                transaction_type: "G2",
                transactions: transactions.collect(),
            };
            writer.registration(*sms, &message);
        }
        writer.finish()
    }

    fn draw_fault(&mut self) -> Fault {
        let faults = [Fault::Lost, Fault::Late, Fault::SentAgain, Fault::SentDifferent, Fault::NeverAnswered];
        let share = self.settings.faults_per_mille;
        let drawn = faults.into_iter().find(|_| self.draw.per_mille(share));
        drawn.unwrap_or(Fault::None)
    }

    fn up_to(&mut self, longest: SignedDuration) -> SignedDuration {
        let milliseconds = u64::try_from(longest.as_millis()).unwrap_or_default();
        SignedDuration::from_millis(self.draw.below(milliseconds.max(1)).cast_signed())
    }
}

/// Three letters of a number.
fn letters(number: u32) -> String {
    let letter = |digit: u32| char::from(b'A' + u8::try_from(digit % LETTERS).unwrap_or_default());
    [letter(number / LETTERS / LETTERS), letter(number / LETTERS), letter(number)].iter().collect()
}
