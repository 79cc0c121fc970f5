import Bowser from "bowser";
import { networkOf } from "./network.ts";

/**
 * How the list of sessions calls a device: "Firefox on Linux, 192.0.2.x". Of the visitor's address
 * only the network is kept.
 */
export function deviceName(userAgent: string | undefined, address: string): string {
  return `${browserName(userAgent)}, ${networkOf(address)}`;
}

function browserName(userAgent: string | undefined): string {
  const { browser, os } = Bowser.parse(userAgent || "none");
  const name = plainName(browser.name) ?? "An unknown browser";
  const system = plainName(os.name);
  return system === undefined ? name : `${name} on ${system}`;
}

/** The header of an unknown browser may hold any words, of any length, and the visitor's other devices show them. */
function plainName(name: string | undefined): string | undefined {
  return name && /^[\p{L}\p{N} .+-]{1,30}$/u.test(name) ? name : undefined;
}
