// Puts the page together: one state, one picture of it, and whoever changes it.

import { attend } from "../access/hands.js";
import { player } from "../access/player.js";
import { pool, unravel } from "../engine/pooling.js";
import { RuleError, broken } from "../engine/windows.js";
import { filtering, opened, problems, question, restored } from "../engine/state.js";
import { exportPanel } from "./export_panel.js";
import { depthOf, depthOfWindow, nearest } from "./board.js";
import { controls, show } from "./controls.js";
import { field, on, put, the } from "./dom.js";
import { edit, unedit } from "./editor.js";
import { frameworksPanel } from "./frameworks_panel.js";
import { kernelsPanel } from "./kernels_panel.js";
import { imagePanel } from "./image_panel.js";
import { modelPanel } from "./model_panel.js";
import { shapePanel } from "./shape_panel.js";
import { shiftPanel } from "./shift_panel.js";
import { snippetsPanel } from "./snippets_panel.js";
import { stackPanel } from "./stack_panel.js";
import { draw, point } from "./stage.js";

/**
 * @typedef {import("../engine/state.js").State} State
 * @typedef {import("../engine/dialects.js").Dialect} Dialect
 * @typedef {import("./stage.js").Drawn} Drawn
 * @typedef {import("./stage.js").Focus} Focus
 * @typedef {import("./board.js").Square} Square
 *
 * @typedef {object} Data  what the page was given; see data.py
 * @property {any} state
 * @property {{title: string}[]} gallery  states
 * @property {any} model
 * @property {string | null} token
 * @property {string | null} note
 *
 * @typedef {object} View  what is to be shown
 * @property {State} state
 * @property {import("../engine/pooling.js").Question} asked
 * @property {import("../engine/pooling.js").Answer} answer
 * @property {Focus} focus
 *
 * @typedef {object} Page  what panels may ask of the page
 * @property {Data} data
 * @property {Dialect[]} dialects
 * @property {() => View} view
 * @property {(change: (state: State) => State, said?: string) => void} change
 * @property {(complaint: string, make: () => State, said?: string) => boolean} bring
 * @property {(output: number) => void} focus
 * @property {(text: string) => void} say  to everybody: a line above the grids that is read aloud too
 *
 * @typedef {object} Panel
 * @property {(view: View) => void} update
 * @property {(view: View) => void} [point]
 */

/** @type {((page: Page) => Panel)[]} */
const PANELS = [kernelsPanel, shapePanel, frameworksPanel, snippetsPanel, shiftPanel, stackPanel];
const SWITCHES = /** @type {const} */ (["backward", "heat"]);

/** @param {Data} data @param {Dialect[]} dialects @param {{title: string}[]} examples states */
export function begin(data, dialects, examples) {
  let state = restored(examples[0], null).state; // as it was typed, which may break a rule
  let shown = state; // the last one that could be drawn: what is seen, saved and linked
  let drawn = /** @type {Drawn} */ (/** @type {unknown} */ (null));
  /** @type {Focus} */
  let focus = { output: 0, cell: null, pinned: false };
  let waiting = 0;

  /** @type {Page} */
  const page = {
    data,
    dialects,
    view: () => ({ state: shown, asked: drawn.asked, answer: drawn.answer, focus }),
    change,
    bring,
    focus: (output) => go(output),
    say,
  };
  const follow = player(page);
  let panels = /** @type {Panel[]} */ ([]);
  const again = () => redraw(drawn.depth);
  controls(change);
  beginWith();
  for (const name of SWITCHES)
    on(name, "change", () => change((was) => ({ ...was, look: { ...was.look, [name]: field(name).checked } })));
  on("input-depth", "input", () => redraw(Number(field("input-depth").value)));
  on(window, "hashchange", fromLink);
  // By hand, for in a notebook's frame an address within the page leads out of it.
  for (const link of document.querySelectorAll("nav a")) {
    on(link, "click", (event) => (event.preventDefault(), the(/** @type {HTMLAnchorElement} */ (link).hash.slice(1)).focus()));
  }
  on(window, "resize", again);
  on(matchMedia("(prefers-color-scheme: dark)"), "change", again);
  if (!bring("what was given cannot be drawn", () => restored(data.state, null).state)) change(() => state, the("said").textContent ?? "");
  panels = PANELS.map((panel) => panel(page));
  imagePanel(page);
  modelPanel(page);
  exportPanel(page);
  if (data.note) say([the("said").textContent, data.note].filter(Boolean).join("; "));
  fromLink();
  return page;

  /** Shows what somebody brought; what cannot be shown changes nothing, and is said. @param {string} complaint @param {() => State} make @param {string} [said] */
  function bring(complaint, make, said) {
    try {
      const brought = make();
      const [wrong] = problems(brought);
      if (wrong) broken(wrong.field, wrong.text);
      change(() => brought, said);
      return true;
    } catch (error) {
      const why = error instanceof RuleError ? error.message : "it cannot be read";
      say(`${complaint} (${why}): what was here stays`);
      return false;
    }
  }

  /** What the page was given, and the examples. */
  function beginWith() {
    const all = [...data.gallery, ...examples];
    all.forEach(({ title }, i) => the(i < data.gallery.length ? "given" : "others").append(new Option(title, String(i))));
    the("given").hidden = !data.gallery.length;
    on("preset", "change", () => {
      const first = restored(all[Number(field("preset").value)], null).state;
      change(() => first, first.title);
    });
  }

  /** A new state is shown, or what is wrong with it: then the last good picture stays. @param {(state: State) => State} changed @param {string} [said] */
  function change(changed, said = "") {
    const before = state;
    state = changed(state);
    const wrong = problems(state);
    show(state, wrong);
    the("stage").classList.toggle("stale", wrong.length > 0);
    if (wrong.length) return;
    shown = state;
    if (before.values !== state.values || !drawn) focus = { output: state.look.focus, cell: null, pinned: state.look.pinned };
    redraw();
    // The panels can wait: the grids are seen first.
    clearTimeout(waiting);
    waiting = setTimeout(() => panels.forEach((panel) => panel.update(page.view())), 0);
    say(said);
  }

  /** Everything anew. @param {number} [depth] */
  function redraw(depth) {
    unedit();
    const asked = question(shown);
    const answer = pool(asked);
    focus.output = Math.min(focus.output, answer.values.length - 1);
    if (focus.cell !== null && focus.cell >= asked.values.length) focus.cell = null;
    const walking = document.activeElement?.closest("#output-grid");
    drawn = draw(shown, asked, answer, focus, depth);
    listen();
    look();
    if (walking) drawn.output.activate(drawn.output.active(), true);
    for (const name of SWITCHES) field(name).checked = shown.look[name];
  }

  /** What is looked at has changed. @param {Partial<Focus>} changed */
  function look(changed = {}) {
    focus = { ...focus, ...changed };
    const { output, cell, pinned } = focus;
    point(drawn, focus);
    const square = cell === null && drawn.output.board.squares.find(({ flat }) => flat === output);
    if (square) drawn.output.activate(square);
    follow();
    const seen = { focus: output, pinned };
    [state, shown] = [state, shown].map((one) => ({ ...one, look: { ...one.look, ...seen } }));
    for (const panel of panels) panel.point?.(page.view());
  }

  /** Another output is looked at; of three axes another slice may have to be drawn. @param {number} output @param {boolean} [pinned] */
  function go(output, pinned = focus.pinned) {
    const { asked, answer, depth, slice } = drawn;
    focus = { output, cell: null, pinned };
    if (depthOf(unravel(output, answer.shape)) !== slice || depth !== depthOfWindow(asked, answer, output)) redraw();
    else look();
  }

  function listen() {
    const { input, output, above, upstream, asked, answer } = drawn;
    const { values } = shown;
    const free = () => look({ cell: null, pinned: false });
    const outputs = {
      point: (/** @type {number} */ flat) => focus.pinned || (flat === focus.output && focus.cell === null) || go(flat),
      click: (/** @type {number} */ flat) => go(flat, !(focus.pinned && focus.output === flat && focus.cell === null)),
    };
    attend(output, outputs, free);
    attend(input, {
      point: (cell) => focus.pinned || look({ cell }),
      click: (cell) => look({ cell, pinned: !(focus.pinned && focus.cell === cell) }),
      drag: ({ row, column }) => go(nearest(answer, [drawn.depth, row, column].slice(-asked.shape.length)), true),
      edit(square) {
        // A filtered image is made by its filter.
        if (filtering(shown)) say("this map is made by the filter; drop the filter to change cells");
        else edit(input, square, "input", (...said) => write("values", values, square, ...said));
      },
      leave: () => focus.pinned || focus.cell === null || look({ cell: null }),
    }, free);
    if (!above) return;
    const edits = (/** @type {Square} */ square) =>
      edit(above, square, "upstream gradient", (...said) => write("upstream", Array.from(upstream), square, ...said));
    attend(above, { ...outputs, edit: edits }, free);
  }

  /** @param {"values" | "upstream"} name @param {number[]} list @param {Square} square @param {number} value @param {boolean} keyed */
  function write(name, list, square, value, keyed) {
    const at = focus;
    if (list.length !== (name === "values" ? shown.values : drawn.upstream).length) return; // another array came meanwhile
    change((was) => ({
      ...was,
      [name]: list.map((old, i) => (i === square.flat ? value : old)),
      integers: was.integers && (name !== "values" || Number.isInteger(value)),
      look: { ...was.look, focus: at.output },
    }));
    look(at);
    const grid = name === "values" ? drawn.input : drawn.above;
    grid?.activate(grid.board.squares[square.at], keyed);
  }

  function fromLink() {
    if (!location.hash.startsWith("#s=")) return;
    let left = "";
    const linked = () => {
      const { state: found, without_array } = opened(location.hash.slice(3), shown);
      if (without_array) left = "the link has the settings alone: its array was too large for a link";
      return found;
    };
    if (bring("the link is broken", linked, "opened from the link") && left) say(left);
  }

  /** @param {string} text */
  function say(text) {
    put("said", text);
  }
}
