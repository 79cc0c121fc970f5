import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium } from "playwright-core";

const args = [
  ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ["--disable-background-networking", "--disable-component-update", "--disable-sync"],
].flat();

/** A headless browser that connects only to the chat. Its user data are fresh, and removed when it closes. */
export function launchChromium(path: string): Promise<Browser> {
  return chromium.launch({ executablePath: path, args });
}

export interface Profile {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

/** How Chromium names its settings of third-party cookies in `cookie_controls_mode`. */
const cookieControls = { allowed: 0, blocked: 1 };

/** A headless browser with a setting that only a profile can have; without it, the default is the distribution's. */
export async function openProfile(
  path: string,
  { thirdPartyCookies }: { thirdPartyCookies: keyof typeof cookieControls },
): Promise<Profile> {
  const folder = await mkdtemp(join(tmpdir(), "chromium-profile-"));
  await mkdir(join(folder, "Default"));
  const preferences = { profile: { cookie_controls_mode: cookieControls[thirdPartyCookies] } };
  await writeFile(join(folder, "Default", "Preferences"), JSON.stringify(preferences));
  const context = await chromium.launchPersistentContext(folder, { executablePath: path, args });
  return {
    context,
    async close() {
      await context.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
