// One window after the other: step, scrub and play.

import { field, on, put } from "../view/dom.js";

// ms, long enough to read a formula; who wants less motion gets a third of it
const PAUSE = matchMedia("(prefers-reduced-motion: reduce)").matches ? 2100 : 700;

/** Gives what makes the slider follow what is looked at. @param {import("../view/app.js").Page} page */
export function player({ view, focus }) {
  const scrub = field("scrub");
  let timer = 0;
  const now = () => [view().focus.output, view().answer.values.length];
  const step = (/** @type {number} */ by) => {
    const [at, count] = now();
    focus((at + by + count) % count);
  };
  const play = (/** @type {boolean} */ wanted) => {
    clearInterval(timer);
    timer = wanted ? setInterval(step, PAUSE, 1) : 0;
    put("play", wanted ? "Pause" : "Play");
  };
  const take = (/** @type {() => void} */ what) => () => (play(false), what());
  on("back", "click", take(() => step(-1)));
  on("next", "click", take(() => step(1)));
  on(scrub, "input", take(() => focus(Number(scrub.value))));
  on("play", "click", () => play(!timer));
  return () => {
    const [at, count] = now();
    Object.assign(scrub, { max: count - 1, value: at, ariaValueText: `window ${at + 1} of ${count}` });
    put("place", `${at + 1} / ${count}`);
  };
}
