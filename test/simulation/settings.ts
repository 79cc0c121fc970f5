/** The configuration of the simulated application: shorter times, in proportion to the defaults. */
export interface Settings {
  readonly revalidateIntervalMs: number;
  readonly staleMs: number;
  readonly storeTimeoutMs: number;
  readonly touchIntervalMs: number;
  readonly updateTimeoutMs: number;
  /** How long a session lives after the last activity. */
  readonly maxAgeMs: number;
}
