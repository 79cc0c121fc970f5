/** How the simulated application is configured: in proportion to the defaults, but in a hurry. */
export interface Settings {
  readonly revalidateIntervalMs: number;
  readonly staleMs: number;
  readonly storeTimeoutMs: number;
  readonly touchIntervalMs: number;
  readonly updateTimeoutMs: number;
  /** How long a session lives after the last activity. */
  readonly maxAgeMs: number;
}
