import Foundation
import Testing

@testable import Metrics

/// `config/grafana-dashboard.json`: what it asks for is there.
@Suite struct DashboardTests {
  private struct Dashboard: Decodable {
    struct Target: Decodable {
      let expr: String
      let legendFormat: String
    }
    struct Panel: Decodable {
      struct Position: Decodable { let x, y, w, h: Int }
      let id: Int
      let title: String
      let type: String
      let gridPos: Position
      let targets: [Target]?
    }
    struct Variable: Decodable {
      let name: String
      let type: String
      let definition: String?
    }
    struct Templating: Decodable { let list: [Variable] }
    let title: String
    let panels: [Panel]
    let templating: Templating
  }

  private static func load() throws -> Dashboard {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let data = try Data(contentsOf: root.appending(path: "config/grafana-dashboard.json"))
    return try JSONDecoder().decode(Dashboard.self, from: data)
  }

  /// Labels that each sample of a name has.
  private static func labels(of name: String) -> Set<String>? {
    for metric in MetricCatalogue.metrics {
      if metric.kind == .histogram {
        if name == metric.name + "_bucket" { return Set(metric.labels + ["le"]) }
        if name == metric.name + "_sum" || name == metric.name + "_count" { return Set(metric.labels) }
      } else if name == metric.name {
        return Set(metric.labels)
      }
    }
    return nil
  }

  /// Labels that the scraper adds.
  private static let scraperLabels: Set<String> = ["instance", "job"]

  /// Complains of each metric and label of a query that the exposition does not have.
  private static func check(_ query: String, _ legend: String, _ place: Comment) {
    let names = query.matches(of: /\b(nvmed|process)_\w+/).map { String($0.output.0) }
    #expect(!names.isEmpty, place)
    var known = scraperLabels
    for name in names {
      guard let labels = labels(of: name) else {
        Issue.record("\(place): there is no metric \(name)")
        continue
      }
      known.formUnion(labels)
    }
    for selector in query.matches(of: /\b(?<name>(?:nvmed|process)_\w+)\{(?<labels>[^}]*)\}/) {
      let own = (labels(of: String(selector.name)) ?? []).union(scraperLabels)
      for label in selector.labels.matches(of: /(?<label>\w+)\s*(?:=~|!~|!=|=)/) {
        #expect(own.contains(String(label.label)), "\(place): \(selector.name) has no label \(label.label)")
      }
    }
    for group in query.matches(of: /\b(?:by|on)\s*\((?<labels>[^)]*)\)/) {
      for label in group.labels.split(separator: ",").map({ $0.trimmingCharacters(in: .whitespaces) }) {
        #expect(known.contains(label), "\(place): by \(label)")
      }
    }
    for label in legend.matches(of: /\{\{(?<label>\w+)\}\}/) {
      #expect(known.contains(String(label.label)), "\(place): legend \(label.label)")
    }
  }

  @Test func expressionsAreOfMetricsThatThereAre() throws {
    let dashboard = try Self.load()
    var used: Set<String> = []
    for panel in dashboard.panels {
      for target in panel.targets ?? [] {
        Self.check(target.expr, target.legendFormat, "\(panel.title)")
        used.formUnion(target.expr.matches(of: /\b(?:nvmed|process)_\w+/).map { String($0.output) })
      }
    }
    for variable in dashboard.templating.list {
      if let definition = variable.definition { Self.check(definition, "", "\(variable.name)") }
    }
    #expect(dashboard.templating.list.map(\.name) == ["datasource", "instance", "controller", "kind"])
    #expect(used.count > 20)
  }

  @Test func variablesAreDeclared() throws {
    let dashboard = try Self.load()
    let declared = Set(dashboard.templating.list.map(\.name) + ["__rate_interval"])
    for panel in dashboard.panels {
      for target in panel.targets ?? [] {
        for variable in target.expr.matches(of: /\$(?<name>\w+)/) {
          #expect(declared.contains(String(variable.name)), "\(panel.title): \(variable.name)")
        }
      }
    }
  }

  @Test func panelsDoNotOverlap() throws {
    let panels = try Self.load().panels
    #expect(Set(panels.map(\.id)).count == panels.count)
    var taken: Set<[Int]> = []
    for panel in panels {
      let place = panel.gridPos
      #expect(place.x >= 0 && place.x + place.w <= 24)
      for x in place.x..<(place.x + place.w) {
        for y in place.y..<(place.y + place.h) {
          #expect(taken.insert([x, y]).inserted, "\(panel.title)")
        }
      }
    }
  }
}
