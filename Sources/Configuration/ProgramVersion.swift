/// The version of this program, as `rto --version` and `recipe.yaml` give it.
public let programVersion = "0.1.0"
