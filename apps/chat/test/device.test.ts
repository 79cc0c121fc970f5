import { expect, test } from "vitest";
import { deviceName } from "../server/device.ts";
import { countedNetwork, networkOf } from "../server/network.ts";

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const safari =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
const edge =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0";

test.each([
  [firefox, "Firefox on Linux, 192.0.2.x"],
  [safari, "Safari on iOS, 192.0.2.x"],
  [edge, "Microsoft Edge on Windows, 192.0.2.x"],
  ["<b>", "An unknown browser, 192.0.2.x"],
  ["<img/1.0 ", "An unknown browser, 192.0.2.x"],
  ["Ada\u202e/1.0 ", "An unknown browser, 192.0.2.x"],
  [`${"x".repeat(100)}/1.0 `, "An unknown browser, 192.0.2.x"],
  [undefined, "An unknown browser, 192.0.2.x"],
])("%s is called %s", (userAgent, name) => {
  expect(deviceName(userAgent, "192.0.2.7")).toBe(name);
});

test.each([
  ["192.0.2.7", "192.0.2.x"],
  ["::ffff:192.0.2.7", "192.0.2.x"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:…"],
  ["2001:db8::6", "2001:db8:0:…"],
  ["fe80::1%eth0", "fe80:0:0:…"],
  ["::1", "this machine"],
  ["::ffff:127.0.0.1", "this machine"],
  ["unix:", "an unknown network"],
  ["", "an unknown network"],
])("of the address %s only %s is kept", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8:1:2::9", "2001:db8:1:2"],
  ["", ""],
])("what %s does is counted for %s", (address, network) => {
  expect(countedNetwork(address)).toBe(network);
});
