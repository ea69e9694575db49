//! Draws calls over time as SVG by hand: readable on any background, without fonts or scripts of others.

/// One moment, all in calls a second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub(super) limit: f64,
    pub(super) accepted: f64,
    pub(super) refused: f64,
}

/// One of the charts under each other.
pub(super) struct Panel<'a> {
    pub(super) title: String,
    /// How high the chart is, and how far its lines are apart, calls a second. What is higher is cut
    /// off at the top, and its number put there.
    pub(super) calls: (f64, f64),
    pub(super) points: &'a [Point],
}

// All lengths are in the picture's own units.
const WIDTH: f64 = 860.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 16.0;
/// The legend's part.
const TOP: f64 = 34.0;
/// A panel's title, chart and numbers of seconds.
const PANEL: f64 = 244.0;
const TITLE: f64 = 26.0;
const CHART: f64 = 180.0;
const BOTTOM: f64 = 14.0;
/// Seconds between two lines of the grid.
const GRID: f64 = 30.0;

const ACCEPTED: &str = "#7fb3dd";
const REFUSED: &str = "#d62728";
const LIMIT: &str = "#111111";

/// Draws panels, each with a scale of its own, each point so many seconds wide.
pub(super) fn draw(step: f64, panels: &[Panel<'_>]) -> String {
    let height = TOP + PANEL * panels.len() as f64 + BOTTOM;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    svg += &legend();
    for (number, panel) in panels.iter().enumerate() {
        let scale = Scale {
            top: TOP + PANEL * number as f64 + TITLE,
            calls: panel.calls,
            seconds: step * panel.points.len() as f64,
        };
        svg += &format!(
            "<text x=\"{LEFT}\" y=\"{}\" font-weight=\"bold\">{}</text>\n",
            scale.top - 9.0,
            panel.title
        );
        svg += &scale.areas(step, panel.points);
        svg += &scale.axes();
        svg += &scale.limit(step, panel.points);
        svg += &scale.cut_off(step, panel.points);
    }
    svg + "</svg>\n"
}

fn legend() -> String {
    let (y, mut svg) = (12.0, String::new());
    for (x, colour, word) in [
        (LEFT, ACCEPTED, "accepted"),
        (162.0, REFUSED, "refused (429)"),
    ] {
        svg += &format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"14\" height=\"12\" fill=\"{colour}\"/>\
             <text x=\"{}\" y=\"{}\">{word}</text>\n",
            x + 20.0,
            y + 11.0
        );
    }
    svg + &format!(
        "<path d=\"M292 {}h22\" stroke=\"{LIMIT}\" stroke-width=\"2\"/>\
         <text x=\"320\" y=\"{}\">the API's limit</text>\n",
        y + 6.0,
        y + 11.0
    )
}

/// Where a panel's chart lies, and what it spans.
struct Scale {
    top: f64,
    calls: (f64, f64),
    seconds: f64,
}

impl Scale {
    fn x(&self, seconds: f64) -> String {
        short(LEFT + seconds / self.seconds * (WIDTH - LEFT - RIGHT))
    }

    fn y(&self, calls: f64) -> String {
        short(self.top + CHART * (1.0 - calls / self.calls.0).max(0.0))
    }

    /// A line of steps from left to right.
    fn steps(&self, step: f64, heights: impl Iterator<Item = f64>) -> String {
        let (mut path, mut last) = (String::new(), String::new());
        let mut end = 0.0;
        for (number, height) in heights.enumerate() {
            let (x, y) = (self.x(step * number as f64), self.y(height));
            if number == 0 {
                path = format!("M{x} {y}");
            } else if y != last {
                path += &format!("H{x}V{y}");
            }
            (last, end) = (y, step * (number + 1) as f64);
        }
        path + &format!("H{}", self.x(end))
    }

    /// Red up to all calls, and over it what was accepted of them.
    fn areas(&self, step: f64, points: &[Point]) -> String {
        let all = self.steps(step, points.iter().map(|p| p.accepted + p.refused));
        let accepted = self.steps(step, points.iter().map(|p| p.accepted));
        let (x, y) = (self.x(0.0), self.y(0.0));
        format!(
            "<path d=\"{all}V{y}H{x}Z\" fill=\"{REFUSED}\"/>\n\
             <path d=\"{accepted}V{y}H{x}Z\" fill=\"{ACCEPTED}\"/>\n"
        )
    }

    fn limit(&self, step: f64, points: &[Point]) -> String {
        let line = self.steps(step, points.iter().map(|p| p.limit));
        format!("<path d=\"{line}\" fill=\"none\" stroke=\"{LIMIT}\" stroke-width=\"2\"/>\n")
    }

    /// The numbers of what is higher than the chart.
    fn cut_off(&self, step: f64, points: &[Point]) -> String {
        let mut numbers = String::new();
        for (number, point) in points.iter().enumerate() {
            let calls = point.accepted + point.refused;
            if calls > self.calls.0 {
                let (x, y) = (self.x(step * (number + 1) as f64), self.y(self.calls.0));
                numbers +=
                    &format!("<text x=\"{x}\" y=\"{y}\" dx=\"4\" dy=\"13\">↑ {calls:.0}</text>\n");
            }
        }
        numbers
    }

    fn axes(&self) -> String {
        let (left, right) = (self.x(0.0), self.x(self.seconds));
        let (top, bottom) = (self.y(self.calls.0), self.y(0.0));
        let (mut grid, mut numbers) = (String::new(), String::new());
        for line in 0..=(self.calls.0 / self.calls.1) as u32 {
            let calls = f64::from(line) * self.calls.1;
            let y = self.y(calls);
            grid += &format!("M{left} {y}H{right}");
            numbers += &format!(
                "<text x=\"{}\" y=\"{y}\" dy=\"4\" text-anchor=\"end\">{calls}</text>\n",
                LEFT - 6.0
            );
        }
        for line in 0..=(self.seconds / GRID) as u32 {
            let seconds = f64::from(line) * GRID;
            let x = self.x(seconds);
            grid += &format!("M{x} {top}V{bottom}");
            let unit = if line == 0 { " s" } else { "" };
            numbers += &format!(
                "<text x=\"{x}\" y=\"{bottom}\" dy=\"17\" text-anchor=\"middle\">{seconds}{unit}</text>\n"
            );
        }
        let middle = self.top + CHART / 2.0;
        format!(
            "<path d=\"{grid}\" stroke=\"#000\" stroke-opacity=\"0.13\"/>\n{numbers}\
             <text transform=\"translate(16 {middle}) rotate(-90)\" text-anchor=\"middle\">calls a second</text>\n"
        )
    }
}

/// A tenth of a unit is enough.
fn short(length: f64) -> String {
    let text = format!("{length:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}
