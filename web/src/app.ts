// The entry of the app.
import "./style.css";
import { mount } from "svelte";
import Frame from "./frame/Frame.svelte";
import { start } from "./frame/live.svelte";

mount(Frame, { target: document.getElementById("app")! });
start();
