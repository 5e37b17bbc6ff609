import NVMeSpec
import Testing

@Suite struct IdentifyIOCommandSetIndependentNamespaceTests {
  @Test func layout() {
    checkLayout(
      of: IdentifyIOCommandSetIndependentNamespace.self,
      [
        .integer("nsfeat", \.features), .integer("nmic", \.multipathCapabilities),
        .options("rescap", \.reservationCapabilities), .integer("fpi", \.formatProgressIndicator),
        .integer("anagrpid", \.anaGroupIdentifier), .options("nsattr", \.attributes), .reserved(1),
        .integer("nvmsetid", \.nvmSetIdentifier), .integer("endgid", \.enduranceGroupIdentifier),
        .options("nstat", \.status), .reserved(4081),
      ])
  }

  @Test func ready() { #expect(NamespaceStatus.ready.rawValue == 1) }
}
