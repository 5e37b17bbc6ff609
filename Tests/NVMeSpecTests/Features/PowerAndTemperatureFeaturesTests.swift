import NVMeSpec
import Testing

@Suite struct PowerAndTemperatureFeaturesTests {
  @Test func powerManagement() {
    var feature = PowerManagementFeature(rawValue: 0b010_11111)
    #expect(feature.powerState == 31)
    #expect(feature.workloadHint == 2)
    feature.powerState = 32 + 1
    feature.workloadHint = 1
    #expect(feature.rawValue == 0b001_00001)
  }

  @Test func temperatureThreshold() {
    var feature = TemperatureThresholdFeature(rawValue: 0x001F_0157)
    #expect(feature.threshold == 343)
    #expect(feature.sensor == TemperatureThresholdFeature.allSensors)
    #expect(feature.type == TemperatureThresholdFeature.underTemperature)
    feature.sensor = 8
    feature.type = TemperatureThresholdFeature.overTemperature
    #expect(feature.rawValue == 0x0008_0157)
  }
}
