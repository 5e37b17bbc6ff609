import Testing

@testable import Daemon

@Suite struct ReloadPlanTests {
  private static func file(_ path: String, nsid: Int? = nil, readOnly: Bool = false) -> NamespaceConfiguration {
    NamespaceConfiguration(nsid: nsid, imagePath: path, isReadOnly: readOnly)
  }

  private static func daemon(_ controllers: ControllerConfiguration...) -> DaemonConfiguration {
    DaemonConfiguration(controllers: controllers)
  }

  private static func controller(
    _ name: String = "a", _ namespaces: NamespaceConfiguration...,
    configure: (inout ControllerConfiguration) -> Void = { _ in }
  ) -> ControllerConfiguration {
    var controller = ControllerConfiguration(name: name, socketPath: "/\(name).sock", namespaces: namespaces)
    configure(&controller)
    return controller
  }

  @Test func nothing() {
    let old = ReloadPlanTests.daemon(ReloadPlanTests.controller("a", ReloadPlanTests.file("/x", nsid: 1)))
    let new = ReloadPlanTests.daemon(ReloadPlanTests.controller("a", ReloadPlanTests.file("/x")))
    let plan = ReloadPlan(from: old, to: new)
    #expect(plan.refusals.isEmpty && plan.added.isEmpty && plan.removed.isEmpty && plan.logLevel == nil)
    #expect(plan.changes == [ReloadPlan.ControllerChange(name: "a", kept: [1])])
    #expect(plan.warnings.isEmpty)
  }

  @Test func controllersAndLogLevel() {
    var new = ReloadPlanTests.daemon(ReloadPlanTests.controller("b"), ReloadPlanTests.controller("c"))
    new.logLevel = .debug
    let plan = ReloadPlan(
      from: ReloadPlanTests.daemon(ReloadPlanTests.controller("a"), ReloadPlanTests.controller("b")), to: new)
    #expect(plan.added == [ReloadPlanTests.controller("c")])
    #expect(plan.removed == ["a"])
    #expect(plan.changes == [ReloadPlan.ControllerChange(name: "b")])
    #expect(plan.logLevel == .debug)
    #expect(plan.refusals.isEmpty)
  }

  /// Namespaces are known by their images: another order moves none, and what stays keeps its identifier.
  @Test func namespacesAreKnownByTheirImages() {
    let old = ReloadPlanTests.daemon(
      ReloadPlanTests.controller(
        "a", ReloadPlanTests.file("/x", nsid: 1), ReloadPlanTests.file("/y", nsid: 2),
        ReloadPlanTests.file("/z", nsid: 3)))
    let new = ReloadPlanTests.daemon(
      ReloadPlanTests.controller(
        "a", ReloadPlanTests.file("/z"), ReloadPlanTests.file("/w"), ReloadPlanTests.file("/x", nsid: 1)))
    let plan = ReloadPlan(from: old, to: new)
    #expect(
      plan.changes == [
        ReloadPlan.ControllerChange(name: "a", added: [ReloadPlanTests.file("/w")], removed: [2], kept: [3, 1])
      ])
    #expect(plan.refusals.isEmpty)
    #expect(
      plan.warnings == ["namespace 3 of 'a' will be 2 after a restart; write nsid = 3 to keep it"])
  }

  /// The same image twice, read-only, is told apart by identifiers.
  @Test func theSameImageTwice() {
    let twice = ReloadPlanTests.daemon(
      ReloadPlanTests.controller(
        "a", ReloadPlanTests.file("/x", nsid: 1, readOnly: true), ReloadPlanTests.file("/x", nsid: 2, readOnly: true)))
    #expect(
      ReloadPlan(from: twice, to: twice).changes == [ReloadPlan.ControllerChange(name: "a", kept: [1, 2])])
    let once = ReloadPlanTests.daemon(
      ReloadPlanTests.controller("a", ReloadPlanTests.file("/x", nsid: 2, readOnly: true)))
    #expect(
      ReloadPlan(from: twice, to: once).changes == [ReloadPlan.ControllerChange(name: "a", removed: [1], kept: [2])])
  }

  @Test func namespacesWithoutImages() {
    func null(_ size: UInt64, nsid: Int? = nil) -> NamespaceConfiguration {
      NamespaceConfiguration(nsid: nsid, backend: .null, size: size)
    }
    func memory(_ size: UInt64, nsid: Int? = nil) -> NamespaceConfiguration {
      NamespaceConfiguration(nsid: nsid, backend: .memory, size: size)
    }
    let old = ReloadPlanTests.daemon(
      ReloadPlanTests.controller("a", null(4096, nsid: 1), memory(4096, nsid: 2), null(8192, nsid: 5)))
    var plan = ReloadPlan(
      from: old, to: ReloadPlanTests.daemon(ReloadPlanTests.controller("a", null(512), memory(4096), null(8192))))
    #expect(plan.changes == [ReloadPlan.ControllerChange(name: "a", kept: [1, 2, 5], resized: [1: 512])])
    #expect(plan.refusals.isEmpty)
    plan = ReloadPlan(
      from: old,
      to: ReloadPlanTests.daemon(ReloadPlanTests.controller("a", null(8192, nsid: 5), memory(8192), null(1, nsid: 9))))
    #expect(
      plan.changes == [
        ReloadPlan.ControllerChange(name: "a", added: [null(1, nsid: 9)], removed: [1], kept: [5, 2])
      ])
    #expect(plan.refusals.map(\.keyPath) == ["controller.namespace.size"])
  }

  @Test func limits() {
    let old = ReloadPlanTests.daemon(ReloadPlanTests.controller("a"))
    let new = ReloadPlanTests.daemon(ReloadPlanTests.controller("a") { $0.limits.readBytes.perSecond = 1 << 20 })
    let plan = ReloadPlan(from: old, to: new)
    #expect(plan.refusals.isEmpty)
    #expect(plan.changes.first?.limits?.readBytes.perSecond == 1 << 20)
    #expect(ReloadPlan(from: new, to: new).changes.first?.limits == nil)
  }

  /// Every key that cannot change, each with its name; all of them are told.
  @Test func refusals() {
    var old = ReloadPlanTests.daemon(ReloadPlanTests.controller("a", ReloadPlanTests.file("/x", nsid: 1)))
    old.ioThreads = 2
    var new = ReloadPlanTests.daemon(
      ReloadPlanTests.controller("a", ReloadPlanTests.file("/x", nsid: 2, readOnly: true)) {
        $0.socketPath = "/b.sock"
        $0.model = "other"
        $0.ioQueues = 3
      })
    new.spinMicroseconds = 7
    let plan = ReloadPlan(from: old, to: new)
    #expect(
      plan.refusals.map(\.keyPath) == [
        "daemon.io_threads", "daemon.spin_us", "controller.socket", "controller.model", "controller.io_queues",
        "controller.namespace.nsid", "controller.namespace.read_only",
      ])
    #expect(plan.refusals.first?.message == "cannot change while it runs; restart nvmed for it")
    #expect(
      plan.refusals[3].message
        == "\"a\": cannot change while it runs; remove the controller and add it again, which ends its guest's use of it"
    )
    #expect(
      plan.refusals[6].message
        == "namespace 1 of \"a\": cannot change while it runs; remove the namespace and add it again, in two reloads")
  }

  /// No key is forgotten: each that is not for run time is refused.
  @Test func everyKeyIsCompared() {
    let runTime = Set(ConfigurationSchema.limitKeys)
    #expect(runTime.count == 12)
    for setting in ConfigurationSchema.controller.settings where !runTime.contains(setting.key) {
      #expect(setting.isEqual(.unset, .unset), "\(setting.key)")
    }
  }

  @Test func numbering() {
    func numbers(_ nsids: Int?...) -> [UInt32] {
      ControllerConfiguration(name: "a", namespaces: nsids.map { NamespaceConfiguration(nsid: $0) })
        .namespaceIdentifiers
    }
    #expect(numbers() == [])
    #expect(numbers(nil, nil, nil) == [1, 2, 3])
    #expect(numbers(nil, 1, nil, 3, nil) == [2, 1, 4, 3, 5])
    #expect(numbers(64, nil) == [64, 1])
  }
}
