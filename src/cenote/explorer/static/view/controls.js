// The form: every number of a window, each with room for the rule that it breaks beside it.

import { field, on, put, the } from "./dom.js";

/**
 * @typedef {import("../engine/state.js").State} State
 * @typedef {import("../engine/dialects.js").Words} Words
 */

/** What axes are called, by their number. */
export const AXES = [["length"], ["rows", "columns"], ["depth", "rows", "columns"]];

/** What a control changes in the words: `given` holds what its inputs say. @type {Record<string, (given: any[], words: Words) => Partial<Words>>} */
const EDITS = {
  form: ([form]) => ({ form }),
  size: (size) => ({ size }),
  stride: (stride) => ({ stride: stride.every(Number.isNaN) ? null : stride }),
  pad: ([word], { size, ceil }) =>
    word === "numbers" ? { padding: size.map(() => [0, 0]), ceil } : { padding: size.map(() => word), ceil: null },
  padding: (given, { padding }) => ({ padding: padding.map((pad, i) => [given[i], sides(pad)[1]]) }),
  behind: (given, { padding }) => ({ padding: padding.map((pad, i) => [sides(pad)[0], given[i]]) }),
  dilation: (dilation) => ({ dilation }),
  ceil: ([checked]) => ({ ceil: checked || null }),
  divisor: ([rule]) => ({ divisor: rule === "number" ? 1 : rule || null }),
  by: ([divisor]) => ({ divisor }),
};

/** Listens to the form; `changed` is told what somebody entered. @param {(change: (state: State) => State) => void} changed */
export function controls(changed) {
  on("controls", "input", ({ target }) => {
    const id = target.id.replace(/-\d$/, "");
    /** @type {any[]} */
    const given = inputs(id).filter((input) => !input.hidden).map(entered);
    const rest = id === "filter" ? { filter: given[0] || null, upstream: null } : { [id]: given[0] };
    changed((state) => ({ ...state, ...(EDITS[id] ? { words: { ...state.words, ...EDITS[id](given, state.words) } } : rest) }));
  });
}

/** What an input says; a number's that is empty says NaN. @param {HTMLInputElement} input */
function entered({ type, checked, value }) {
  if (type === "checkbox") return checked;
  if (type === "select-one") return value;
  return /^inf(inity)?$/i.test(value) ? Infinity : Number(value || NaN);
}

/** @param {Words["padding"][0]} pad */
function sides(pad) {
  return typeof pad === "string" ? [0, 0] : pad;
}

/** @param {string} id @returns {HTMLInputElement[]} */
function inputs(id) {
  return [...the(`${id}-field`).querySelectorAll(/** @type {"input"} */ ("input, select"))];
}

/** The form shows a state, and what is wrong with it. @param {State} state @param {{field: string, text: string}[]} problems */
export function show({ op, p, filter, shape, words }, problems) {
  const { form, padding, divisor } = words;
  const rank = shape.length;
  const slides = form === "slide";
  const word = padding.find((pad) => typeof pad === "string");
  const fixed = typeof divisor === "number";
  /** Whether a control is there, and what it says. @type {Record<string, any[]>} */
  const said = {
    filter: [rank === 2, filter ?? ""],
    op: [true, op],
    form: [true, form],
    size: [form !== "global", ...words.size],
    stride: [slides, ...(words.stride ?? [])],
    pad: [slides, word ?? "numbers"],
    padding: [slides && !word, ...padding.map((pad) => sides(pad)[0])],
    behind: [slides && !word, ...padding.map((pad) => sides(pad)[1])],
    dilation: [slides, ...words.dilation],
    ceil: [slides, words.ceil],
    divisor: [op === "avg", fixed ? "number" : divisor ?? ""],
    by: [op === "avg" && fixed, fixed ? divisor : 1],
    p: [op === "lp", p],
  };
  for (const [id, [there, ...values]] of Object.entries(said)) {
    the(`${id}-field`).hidden = !there;
    put(`${id}-problem`);
    inputs(id).forEach((input, i) => {
      const { axis, title } = input.dataset;
      const value = values[i];
      if (axis) {
        input.hidden = i >= rank;
        input.ariaLabel = `${title}, ${AXES[rank - 1][i]}`;
      }
      if (input.type === "checkbox") input.checked = value === true;
      // What somebody is typing stays as it is.
      else if (input.tagName === "SELECT" || input !== document.activeElement) {
        input.value = value === Infinity ? "inf" : Number.isNaN(value) ? "" : String(value ?? "");
      }
    });
  }
  put("size-title", form === "adaptive" ? "Parts" : "Size");
  for (const { field: id, text } of problems) {
    const slot = document.getElementById(`${id}-problem`) ?? the("size-problem");
    slot.append(slot.textContent && "; ", text);
  }
}
