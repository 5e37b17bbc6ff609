import Foundation
import FoundationXML
import Testing

@testable import Benchmarking

@Suite struct PictureTests {
  /// What a reader of XML makes of it.
  private final class Reader: NSObject, XMLParserDelegate {
    var elements: [(name: String, attributes: [String: String])] = []
    var texts: [String] = []
    private var text = ""

    func parser(
      _: XMLParser, didStartElement name: String, namespaceURI _: String?, qualifiedName _: String?,
      attributes: [String: String]
    ) {
      elements.append((name, attributes))
      text = ""
    }

    func parser(_: XMLParser, foundCharacters string: String) { text += string }

    func parser(_: XMLParser, didEndElement name: String, namespaceURI _: String?, qualifiedName _: String?) {
      if name == "text" { texts.append(text) }
    }

    init?(_ text: String) {
      super.init()
      let parser = XMLParser(data: Data(text.utf8))
      parser.delegate = self
      guard parser.parse() else { return nil }
    }

    func count(_ name: String) -> Int { elements.count { $0.name == name } }
    func bars(_ color: String) -> [[String: String]] {
      elements.filter { $0.name == "rect" && $0.attributes["fill"] == color && $0.attributes["width"] != "10" }
        .map(\.attributes)
    }
  }

  private func read(_ chart: Chart) throws -> Reader {
    try #require(Reader(Picture("title", rows: [[chart]]).svg))
  }

  @Test func escapesTexts() throws {
    let text = "a < b & \"c\" > d\u{1}"
    let picture = Picture(text, subtitles: ["<svg>"], rows: [])
    let reader = try #require(Reader(picture.svg))
    #expect(reader.texts == ["a < b & \"c\" > d", "<svg>"])
  }

  /// Bars stand on the axis, and are as high as their values say.
  @Test func drawsBars() throws {
    let chart = Chart(
      "bars", .bars, places: ["x", "y"], series: [Chart.Series("one", [Spread([50]), Spread([100])])])
    let bars = try read(chart).bars(Chart.color(0))
    #expect(bars.count == 2)
    let heights = bars.compactMap { $0["height"].flatMap(Double.init) }
    #expect(abs(heights[1] - 2 * heights[0]) <= 0.2)
    let ends = bars.compactMap { bar in
      bar["y"].flatMap(Double.init).flatMap { y in bar["height"].flatMap(Double.init).map { y + $0 } }
    }
    #expect(abs(ends[0] - ends[1]) <= 0.2)
  }

  @Test func leavesOutWhatWasNotMeasured() throws {
    let chart = Chart(
      "lines", .lines, places: ["1", "2", "3"],
      series: [
        Chart.Series("some", [Spread([1]), nil, Spread([2, 4])]), Chart.Series("none", [nil, nil, nil]),
      ])
    let reader = try read(chart)
    #expect(reader.count("circle") == 2)
    let line = try #require(reader.elements.first { $0.name == "polyline" }?.attributes["points"])
    #expect(line.split(separator: " ").count == 2)
    #expect(!reader.texts.contains("none"))
  }

  @Test func drawsTheSpread() throws {
    let one = try read(Chart("a", .bars, places: ["x"], series: [Chart.Series("s", [Spread([5])])]))
    let several = try read(Chart("a", .bars, places: ["x"], series: [Chart.Series("s", [Spread([4, 5, 5])])]))
    #expect(several.count("line") == one.count("line") + 3)
  }

  @Test func saysThatThereIsNothing() throws {
    let chart = Chart("empty", .lines, isLogarithmic: true, places: [], series: [])
    #expect(try read(chart).texts.contains("nothing was measured"))
  }

  /// Of two builds it is the ratios that are drawn, one diagram for each value.
  @Test func drawsComparisons() throws {
    let runs = ["old", "new"].map { build in
      BenchRun(
        ["controllers": "16", "way": "events", "state": "attached"], runner: "nvmed", build: build,
        values: ["idle_wakeups": build == "old" ? 4 : 2, "idle_cpu_ns": 10])
    }
    let picture = try #require(BenchResult(suite: "idle", commit: "x", runs: runs).picture)
    #expect(picture.rows.map { $0.map(\.title) } == [["wake-ups: new, of old's"], ["CPU us: new, of old's"]])
    let reader = try #require(Reader(picture.svg))
    #expect(reader.bars(Chart.color(0)).count == 2)
    #expect(reader.texts.contains("0.50"))
  }

  /// Everything is inside of the picture, whatever the suite measured.
  @Test(arguments: SuiteView.all.map(\.suite))
  func drawsEverySuite(_ suite: String) throws {
    let view = try #require(SuiteView.named(suite))
    var runs: [BenchRun] = []
    for index in 1...4 {
      var parameters: [String: String] = [:]
      for axis in view.axes {
        parameters[axis.key] = ["depth", "controllers"].contains(axis.key) ? "\(1 << index)" : "1"
      }
      for runner in ["nvmed", "fio", "c", "qemu"] {
        var values: [String: Double] = [:]
        for column in view.columns { values[column.key] = Double(index * 1000) }
        runs.append(BenchRun(parameters, runner: runner, values: values))
      }
    }
    let result = BenchResult(suite: suite, commit: "x", machine: ["cpu": "a & b"], placement: "somewhere", runs: runs)
    let picture = try #require(result.picture)
    let reader = try #require(Reader(picture.svg))
    let size = reader.elements[0].attributes
    let width = try #require(size["width"].flatMap(Double.init))
    let height = try #require(size["height"].flatMap(Double.init))
    #expect(reader.elements.count > 30)
    #expect(!reader.texts.contains("nothing was measured"))
    for (name, attributes) in reader.elements {
      for (key, limit) in [("x", width), ("x1", width), ("x2", width), ("y", height), ("y1", height), ("y2", height)] {
        guard let value = attributes[key].flatMap(Double.init) else { continue }
        #expect((0...limit).contains(value), "\(name) \(attributes)")
      }
    }
  }
}
