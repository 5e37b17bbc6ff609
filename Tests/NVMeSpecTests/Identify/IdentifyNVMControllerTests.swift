import NVMeSpec
import Testing

@Suite struct IdentifyNVMControllerTests {
  @Test func layout() {
    checkLayout(
      of: IdentifyNVMController.self,
      [
        .integer("vsl", \.verifySizeLimit), .integer("wzsl", \.writeZeroesSizeLimit),
        .integer("wusl", \.writeUncorrectableSizeLimit), .integer("dmrl", \.datasetManagementRangesLimit),
        .integer("dmrsl", \.datasetManagementRangeSizeLimit), .integer("dmsl", \.datasetManagementSizeLimit),
        .reserved(4080),
      ])
  }
}
