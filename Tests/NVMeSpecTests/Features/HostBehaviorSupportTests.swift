import NVMeSpec
import Testing

@Suite struct HostBehaviorSupportTests {
  @Test func layout() {
    checkLayout(
      of: HostBehaviorSupport.self,
      [
        .custom("acre", [1], isFilled: \.advancedCommandRetryEnable) { $0.advancedCommandRetryEnable = true },
        .custom("etdas", [1], isFilled: \.extendedTelemetryDataArea4Supported) {
          $0.extendedTelemetryDataArea4Supported = true
        },
        .custom("lbafee", [1], isFilled: \.lbaFormatExtensionEnable) { $0.lbaFormatExtensionEnable = true },
        .reserved(1), .integer("cdfe", \.copyDescriptorFormatsEnable), .reserved(506),
      ])
  }
}
