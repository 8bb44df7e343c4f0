import Foundation
import JSONText
import TestSupport
import Testing

/// `rto doctor` as it is typed.
@Suite struct DoctorTests {
    @Test("An RTO_ARROW that names nothing is one of the problems, in words of its own")
    func wrongArrow() throws {
        let directory = try TemporaryDirectory()
        let arrow = directory.url.path + "/none"
        #expect(try directory.run("$RTO doctor --json > out 2> log", ["RTO_ARROW": arrow]) == 65)
        let json = try JSON(parsing: [UInt8](Data(contentsOf: directory.url.appending(path: "out"))))
        #expect(json["parquet"] == "none")
        let sentence = "Parquet: RTO_ARROW is \(arrow), and there is no such directory"
        #expect(json["problems"]?.array?.contains(.string(sentence)) == true)
    }
}
