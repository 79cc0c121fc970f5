/** Counts the round trips over one store. Its argument is the store's name, and the URL of its server. */
import { countedStores } from "../../test/support/costs/counted-stores.ts";
import { countRoundTrips } from "../../test/support/costs/round-trips.ts";
import { answerTo, argumentOf } from "../run/worker.ts";

const { name, url } = argumentOf<{ name: string; url: string }>();

const answers = {
  async count() {
    const store = countedStores.find((one) => one.name === name);
    if (!store) throw new Error(`There is no counted store "${name}".`);
    return countRoundTrips(store, url);
  },
};
export type CountingAnswers = typeof answers;

answerTo(answers);
