import NVMeSpec
import Testing

@Suite struct PowerStateDescriptorTests {
  @Test func layout() {
    checkLayout(
      of: PowerStateDescriptor.self,
      [
        .integer("mp", \.maximumPower), .reserved(1), .options("flags", \.flags), .integer("enlat", \.entryLatency),
        .integer("exlat", \.exitLatency), .integer("rrt", \.relativeReadThroughput),
        .integer("rrl", \.relativeReadLatency), .integer("rwt", \.relativeWriteThroughput),
        .integer("rwl", \.relativeWriteLatency), .integer("idlp", \.idlePower), .integer("ips", \.idlePowerScale),
        .reserved(1), .integer("actp", \.activePower), .integer("apw", \.activePowerWorkloadAndScale), .reserved(9),
      ])
  }

  @Test func flags() {
    #expect(PowerStateFlags.maximumPowerScale.rawValue == 1)
    #expect(PowerStateFlags.nonOperational.rawValue == 2)
  }
}
