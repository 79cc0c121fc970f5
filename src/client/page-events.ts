type Listen = (
  event: string,
  listener: (event: { readonly persisted?: boolean }) => void,
  options: { readonly signal: AbortSignal },
) => void;

declare const addEventListener: Listen;
declare const document: { readonly addEventListener: Listen };

/**
 * Returns a function that removes the listeners. Outside of a page there are none. `hide`: the page goes, perhaps into the
 * back/forward cache. `show`: it is back from there. `wake`: the visitor is back, and the computer may have slept.
 */
export function onPage(hide: () => void, show: () => void, wake: () => void): () => void {
  const controller = new AbortController();
  if (typeof document !== "undefined") {
    addEventListener("pagehide", hide, controller); // as options, of which it has the signal
    addEventListener("pageshow", ({ persisted }) => persisted && show(), controller);
    addEventListener("focus", wake, controller);
    document.addEventListener("visibilitychange", wake, controller); // also after a page was frozen
  }
  return () => controller.abort();
}
