/** The clients of one sample, in a fresh process. */
import { variantNamed } from "../scenarios/all.ts";
import type { Case, Measurement } from "../scenarios/scenario.ts";
import { type SampleOptions, takeSample } from "./sample.ts";
import { Turns } from "./turns.ts";
import { answerTo, argumentOf } from "./worker.ts";

export interface SampleSetting extends Case, Omit<SampleOptions, "turns"> {
  readonly scenario: string;
  readonly variant: string;
}

const { scenario, variant, ...rest } = argumentOf<SampleSetting>();

const turns = new Turns();
let measuring: Promise<Measurement> | undefined;

const answers = {
  /** The first is for the preparations. Resolves to the measurement once there are all parts of it. */
  turn(): Promise<Measurement | undefined> {
    measuring ??= takeSample(variantNamed(scenario, variant), rest, { ...rest, turns });
    return turns.give(measuring);
  },
};
export type SampleAnswers = typeof answers;

answerTo(answers);
