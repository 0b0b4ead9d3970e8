/** What every refusal carries. */
export interface ErrorResponse {
  readonly message: string;
}
