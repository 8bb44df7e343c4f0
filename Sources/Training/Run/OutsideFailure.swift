/// Something that a step needs from outside this process did not come; the stage is as it was before the step.
struct OutsideFailure: Error, Equatable {
    /// Where, and what was wrong.
    let description: String

    init(_ description: String) { self.description = description }
}
