// What has no value at a time says so by name, as fmviz.errors does.

class SingularTimeError extends Error {
  /** `quantity` is "velocity", "score" or "density": what has no value at that time. */
  constructor(quantity, reason) {
    super(`${quantity}: ${reason}`);
    this.name = "SingularTimeError";
    this.quantity = quantity;
  }
}
