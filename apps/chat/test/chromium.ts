import { type Browser, chromium } from "playwright-core";

const args = [
  ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ["--disable-background-networking", "--disable-component-update", "--disable-sync"],
].flat();

/** A headless browser that talks to nobody but the chat; its user data are fresh, and gone when it closes. */
export function launchChromium(path: string): Promise<Browser> {
  return chromium.launch({ executablePath: path, args });
}
