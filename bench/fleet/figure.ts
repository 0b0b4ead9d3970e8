/** One row of the results. */
export interface Figure {
  readonly what: string;
  readonly value: string;
  readonly goal: string;
}
