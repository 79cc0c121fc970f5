import { type Browser, chromium } from "playwright-core";

const args = [
  ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ["--disable-background-networking", "--disable-component-update", "--disable-sync"],
].flat();

/** A headless browser that connects only to the chat. Its user data are fresh, and removed when it closes. */
export function launchChromium(path: string): Promise<Browser> {
  return chromium.launch({ executablePath: path, args });
}
