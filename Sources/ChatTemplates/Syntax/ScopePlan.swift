/// The names that live in one scope, and what each holds where the scope begins.
struct ScopePlan: Sendable {
    var names: [String: Beginning] = [:]

    enum Beginning: Sendable {
        /// Set by the construct that opens the scope.
        case parameter
        /// The variable or function of that name that the template is rendered with.
        case variable
        /// What the scope around holds.
        case outer
        /// Nothing.
        case undefined
    }
}

/// Finds out which names each scope of a template has: Jinja's rules of visibility.
///
/// A name belongs to the outermost scope that mentions it, unless an inner one sets it: then it is the inner one's own and begins with the
/// outer one's value. A scope that sets a name before it reads it hides the variable that the template is rendered with. Branches of
/// an `if` are no scopes. Filters and tests that do not exist are found here too, but for those in branches, which may never be reached.
final class ScopeAnalysis {
    private let parent: ScopeAnalysis?
    private(set) var plan = ScopePlan()
    private var stored: Set<String> = []

    init(inside parent: ScopeAnalysis? = nil) { self.parent = parent }

    private func knows(_ name: String) -> Bool { plan.names[name] != nil || parent?.knows(name) == true }

    func load(_ name: String) {
        if !knows(name) { plan.names[name] = .variable }
    }

    func store(_ name: String) {
        stored.insert(name)
        guard plan.names[name] == nil else { return }
        plan.names[name] = parent?.knows(name) == true ? .outer : .undefined
    }

    func declareParameter(_ name: String) {
        stored.insert(name)
        plan.names[name] = .parameter
    }

    /// Calls `visit` with each of several branches, none of which sees what the others set.
    func visitBranches(_ count: Int, _ visit: (Int) throws(Fault) -> Void) throws(Fault) {
        let (before, storedBefore) = (plan, stored)
        var (after, storedAfter) = (plan, stored)
        for branch in 0..<count {
            (plan, stored) = (before, storedBefore)
            try visit(branch)
            after.names.merge(plan.names) { $1 }
            storedAfter.formUnion(stored)
        }
        // What only some branches set is still the variable, where another one was taken.
        for name in storedAfter.subtracting(storedBefore) {
            after.names[name] = parent?.knows(name) == true ? .outer : .variable
        }
        (plan, stored) = (after, storedAfter)
    }
}
