declare const localStorage: {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
};

declare const navigator: {
  readonly locks: {
    request(
      name: string,
      options: { readonly ifAvailable: true },
      callback: (lock: unknown) => unknown,
    ): Promise<unknown>;
  };
};

/**
 * When the browser's cookie is renewed: by activity, once per browser and period. `name` is that of the lock and of the time in
 * `localStorage`. `renew` resolves to false if the cookie was not renewed. `onSet`: the cookie was set, at that time.
 */
export function renewal(name: string, renew: () => Promise<boolean>, onSet: (at: number) => void) {
  /** By the clock, by which the browser counts the cookie's life too. */
  let setAt = 0;
  let triedAt = 0;

  /** Also if the clock was set back: how old it is can't be known then. */
  const isOlder = (at: number, thanMs: number) => {
    const ageMs = Date.now() - at;
    return ageMs < 0 || ageMs >= thanMs;
  };

  /** The server has set the cookie just now. */
  function set(): void {
    setAt = Date.now();
    try {
      localStorage.setItem(name, String(setAt));
    } catch {
      // forbidden, or full: other tabs that are open know it by the channel
    }
    onSet(setAt);
  }

  /** The cookie was set at that time, as another tab says. A time to come counts for nothing: see `isOlder`. */
  function learn(at: number): void {
    if (at > setAt) setAt = at;
  }

  async function renewNow(): Promise<boolean> {
    const isRenewed = await renew();
    if (isRenewed) set();
    return isRenewed;
  }

  async function renewIfDue(cookieMs: number): Promise<void> {
    try {
      learn(Number(localStorage.getItem(name)));
    } catch {
      // forbidden
    }
    if (isOlder(setAt, cookieMs / 2)) await renewNow();
  }

  return {
    set,
    learn,
    renew: renewNow,

    /**
     * Renews a cookie that lives so long after half of its life: with any activity in the other half it goes on. Undefined: the browser
     * keeps it anyway.
     */
    async onActivity(cookieMs: number | undefined): Promise<void> {
      if (!cookieMs || !isOlder(setAt, cookieMs / 2)) return;
      if (!isOlder(triedAt, Math.max(cookieMs / 8, 1_000))) return; // at most once a second, however short the life
      triedAt = Date.now();
      try {
        await navigator.locks.request(name, { ifAvailable: true }, (lock) => lock && renewIfDue(cookieMs));
      } catch {
        await renewIfDue(cookieMs); // without locks, each tab by itself
      }
    },
  };
}
