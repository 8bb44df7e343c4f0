/// The policies that are compared, in the order of the table; raw values name their run directories.
enum QuickstartPolicy: String, CaseIterable {
    case sft, dpo, ppo, rto

    /// Its name in headings and tables.
    var title: String { rawValue.uppercased() }
}
