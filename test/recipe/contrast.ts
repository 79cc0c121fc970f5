import { describe, expect, test } from "vitest";
import { ring } from "../setup/ring.ts";
import { transportKinds } from "../support/matrix.ts";
import { type ApplicationOptions, type Story, tell } from "./application.ts";
import { ours } from "./ours.ts";
import { type RecipeOptions, recipe } from "./recipe.ts";

type TransportName = (typeof transportKinds)[number]["name"];

interface Contrast<Outcome> {
  readonly story: Story<Outcome>;
  /** Default: all. */
  readonly by?: readonly TransportName[];
  readonly options?: ApplicationOptions;
  /** What comes of it where the promise is kept. */
  readonly kept: Outcome;
  /** What comes of it with the recipe, or a matcher for that. */
  readonly broken?: unknown;
  /** Ways to follow the recipe. Default: as documented, and with `resave: false`, which many advise. */
  readonly recipes?: RecipeVariants;
  /** Ways in which the recipe keeps the promise, too. */
  readonly alsoKeptBy?: RecipeVariants;
}

type RecipeVariants = Readonly<Record<string, RecipeOptions>>;

const usualRecipes: RecipeVariants = {
  "as documented": {},
  "with resave: false": { resave: false },
};

/** Whether the recipe is tested as well: no change here makes a difference to it. */
export const isRecipeTested = ring === "product";

/** Shows that a promise is kept here, and that its test can fail: the recipe breaks it. */
export function contrast<Outcome>(promise: string, { by, options, ...told }: Contrast<Outcome>): void {
  const { story, kept, broken, recipes = usualRecipes, alsoKeptBy = {} } = told;
  const kinds = transportKinds.filter(({ name }) => by === undefined || by.includes(name));
  describe.concurrent(promise, () => {
    for (const { name, transports } of kinds) {
      test(`is kept by ${name}`, async () => {
        expect(await tell(story, ours(options), transports)).toEqual(kept);
      });
      if (!isRecipeTested) continue;
      const follow = (variant: RecipeOptions) => tell(story, recipe({ ...options, ...variant }), transports);
      for (const [way, variant] of Object.entries(recipes)) {
        test(`is broken by ${name} in the recipe ${way}`, async () => {
          const outcome = await follow(variant);
          expect(outcome).not.toEqual(kept);
          expect(outcome).toEqual(broken);
        });
      }
      for (const [way, variant] of Object.entries(alsoKeptBy)) {
        test(`is kept by ${name} in the recipe ${way}, too`, async () => {
          expect(await follow(variant)).toEqual(kept);
        });
      }
    }
  });
}
