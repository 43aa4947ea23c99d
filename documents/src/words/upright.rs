//! Pages that lie on their side or stand on their head: Tesseract reads their words, but gives their boxes as the image has them.

use concord_schemas::patient_documents::Region;

use super::FoundWord;

/// Where the words of a line follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Right,
    Down,
    Left,
    Up,
}

impl Direction {
    /// That of most lines with more than one word; to the right where there is none.
    pub fn of<'a>(runs: impl IntoIterator<Item = &'a Vec<FoundWord>>) -> Self {
        let mut votes = [(0_usize, Self::Right), (0, Self::Down), (0, Self::Left), (0, Self::Up)];
        for run in runs {
            let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
            let (first, last) = (first.stored, last.stored);
            let center = |region: Region| {
                (
                    i64::from(region.left) * 2 + i64::from(region.width),
                    i64::from(region.top) * 2 + i64::from(region.height),
                )
            };
            let ((x, y), (to_x, to_y)) = (center(first), center(last));
            let (right, down) = (to_x - x, to_y - y);
            let place = match (right.abs() >= down.abs(), right > 0, down > 0) {
                _ if right == 0 && down == 0 => continue,
                (true, true, _) => 0,
                (false, _, true) => 1,
                (true, ..) => 2,
                (false, ..) => 3,
            };
            votes[place].0 += run.len();
        }
        // Of equal votes the first counts.
        votes.iter().rev().max_by_key(|(count, _)| *count).map_or(Self::Right, |(_, direction)| *direction)
    }

    /// A box as it is on the page when its lines run to the right. The page begins somewhere: only distances have a meaning.
    pub fn upright(self, region: Region) -> Region {
        let Region { left, top, width, height } = region;
        let (right, bottom) = (left.saturating_add(width), top.saturating_add(height));
        match self {
            Self::Right => region,
            Self::Down => Region { left: top, top: FAR - right, width: height, height: width },
            Self::Left => Region { left: FAR - right, top: FAR - bottom, width, height },
            Self::Up => Region { left: FAR - bottom, top: left, width: height, height: width },
        }
    }
}

/// Further out than any box, so that no place is negative.
const FAR: i32 = 2_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn word(left: i32, top: i32) -> FoundWord {
        let region = Region { left, top, width: 40, height: 10 };
        FoundWord { text: "word".to_owned(), region, stored: region, confidence: 90 }
    }

    #[test]
    fn lines_show_by_their_words_how_the_page_lies() {
        let of =
            |to: (i32, i32)| Direction::of(&[vec![word(500, 500), word(500 + to.0, 500 + to.1)], vec![word(0, 0)]]);
        assert_eq!(of((60, 2)), Direction::Right);
        assert_eq!(of((2, 60)), Direction::Down);
        assert_eq!(of((-60, 2)), Direction::Left);
        assert_eq!(of((2, -60)), Direction::Up);
        assert_eq!(Direction::of(&[]), Direction::Right);
    }

    #[test]
    fn boxes_of_a_turned_page_are_turned_back() {
        // Two words of one line, and below the first one a third: as the image has them, for each way in which it may lie.
        for (direction, first, second, below) in [
            (Direction::Right, (10, 10), (90, 10), (10, 40)),
            (Direction::Down, (90, 10), (90, 90), (60, 10)),
            (Direction::Left, (90, 90), (10, 90), (90, 60)),
            (Direction::Up, (10, 90), (10, 10), (40, 90)),
        ] {
            let upright = |(left, top)| direction.upright(Region { left, top, width: 10, height: 10 });
            let (first, second, below) = (upright(first), upright(second), upright(below));
            assert!(second.left > first.left && second.top == first.top, "{direction:?}");
            assert!(below.top > first.top && below.left == first.left, "{direction:?}");
        }
    }
}
