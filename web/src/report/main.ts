// The entry of the report bundle: reads the JSON block and mounts the report.
import "../style.css";
import { mount } from "svelte";
import { RunStore } from "../run/store.svelte";
import type { Content } from "./content";
import Report from "./Report.svelte";

const content = JSON.parse(document.getElementById("kazami-data")!.textContent!) as Content;
const store = new RunStore();
const { view } = content;
store.begin({
  run: { id: view.setting.id, state: "finished", started: view.setting.started, changed: 0, steps: view.last_step, verdict: view.verdict, wind: view.wind, trouble: null, has_proof: false },
  view,
  events: content.events,
  flow: content.flow,
  age: 0,
  written: false,
});
const target = document.getElementById("kazami")!;
target.replaceChildren();
mount(Report, { target, props: { store, content } });
