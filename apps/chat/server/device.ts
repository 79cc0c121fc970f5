import { isIPv4, isIPv6 } from "node:net";
import Bowser from "bowser";

/**
 * How the list of sessions calls a device: "Firefox on Linux, 192.0.2.x". Of the visitor's address
 * only the network is kept.
 */
export function deviceName(userAgent: string | undefined, address: string): string {
  return `${browserName(userAgent)}, ${networkOf(address)}`;
}

function browserName(userAgent: string | undefined): string {
  if (!userAgent) return "An unknown browser";
  const { browser, os } = Bowser.parse(userAgent);
  const name = browser.name || "An unknown browser";
  return os.name ? `${name} on ${os.name}` : name;
}

/** The first three of an IPv4 address's four numbers; of an IPv6 address the 48 bits that one provider gives one site. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (plain === "::1" || plain.startsWith("127.")) return "this machine";
  if (isIPv4(plain)) return plain.replace(/\d+$/, "x");
  if (isIPv6(plain)) return `${firstGroups(plain, 3)}:…`;
  return "an unknown network";
}

function firstGroups(address: string, count: number): string {
  const [head = "", tail] = address.split("%", 1)[0]?.split("::") ?? [];
  const groups = head === "" ? [] : head.split(":");
  const omitted = tail === undefined ? 0 : 8 - groups.length - (tail === "" ? 0 : tail.split(":").length);
  return [...groups, ...Array<string>(Math.max(omitted, 0)).fill("0"), ...(tail?.split(":") ?? [])]
    .slice(0, count)
    .join(":");
}
