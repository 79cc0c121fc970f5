/** What a visitor does and sees on the page of the chat; each resolves once the page shows it. */
import type { Page } from "playwright-core";

export const shows = (page: Page, text: string) => page.getByText(text).first().waitFor();

export const isConnectedAs = (page: Page, who: string) =>
  page
    .getByRole("status")
    .filter({ hasText: `Connected as ${who}` })
    .waitFor();

/** The log of `page` has this message by this writer. */
export const hears = (page: Page, writer: string, text: string) =>
  page.getByRole("article").filter({ hasText: writer }).filter({ hasText: text }).waitFor();

export async function logIn(page: Page, name: string): Promise<void> {
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("button", { name: "Log in" }).first().click();
  await isConnectedAs(page, name);
}

export async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message").fill(text);
  await page.getByLabel("Message").press("Enter");
}
