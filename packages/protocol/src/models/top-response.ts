/** Answer to `GET /containers/{id}/top`: a table as ps prints it, with pids of the host. */
export interface TopResponse {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[];
}
