import "./style/base.css";
import "./style/frame.css";
import { render } from "preact";
import { takeTicket } from "./daemon/credentials.ts";
import { App } from "./frame/app.tsx";

const page = document.getElementById("page");
if (page === null) throw new Error("index.html has no #page");
await takeTicket();
render(<App />, page);
