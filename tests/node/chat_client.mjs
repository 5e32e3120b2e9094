// A chat as frontends with the AI SDK have it. A JSON line is one action, the line that goes out what the chat holds then.
//
// {version, api, headers, chatId, action: "send" | "resume", text?, leaveAfter?, tellAfter?}: `leaveAfter` is a text after
// which the client hangs up, as its stop() does; after `tellAfter` a line {"shown": true} comes before the one at the end.
import { createInterface } from "node:readline";

import * as ai7 from "ai";
import * as ai6 from "ai-6";

class State {
  status = "ready";
  error = undefined;
  messages = [];
  onChange = () => {};
  pushMessage = (message) => {
    this.messages = [...this.messages, message];
    this.onChange(message);
  };
  popMessage = () => {
    this.messages = this.messages.slice(0, -1);
  };
  replaceMessage = (index, message) => {
    this.messages = this.messages.with(index, this.snapshot(message));
    this.onChange(message);
  };
  snapshot = (value) => structuredClone(value);
}

function makeChat({ version, api, headers, chatId }) {
  const { AbstractChat, DefaultChatTransport } = version === 6 ? ai6 : ai7;
  const transport = new DefaultChatTransport({
    api,
    prepareSendMessagesRequest: ({ messages, headers: given }) => ({
      api: `${api}/${chatId}`,
      headers: { ...given, ...headers, Accept: "text/event-stream" },
      body: { input: messages.at(-1).parts.find((part) => part.type === "text").text },
    }),
    prepareReconnectToStreamRequest: () => ({ headers }),
  });
  class Chat extends AbstractChat {}
  const state = new State();
  const errors = [];
  return { chat: new Chat({ id: chatId, state, transport, onError: (error) => errors.push(String(error)) }), state, errors };
}

const textOf = (message) =>
  message.parts
    .filter((part) => part.type === "text")
    .map((part) => part.text)
    .join("");

for await (const line of createInterface({ input: process.stdin })) {
  const action = JSON.parse(line);
  const kept = makeChat(action);
  const write = (value) => process.stdout.write(JSON.stringify(value) + "\n");
  kept.state.onChange = (message) => {
    const shows = (text) => text && message.role === "assistant" && textOf(message).includes(text);
    if (shows(action.leaveAfter)) kept.chat.stop();
    if (shows(action.tellAfter)) {
      action.tellAfter = undefined;
      write({ shown: true });
    }
  };
  await (action.action === "send" ? kept.chat.sendMessage({ text: action.text }) : kept.chat.resumeStream());
  const answers = kept.state.messages.filter((message) => message.role === "assistant");
  write({
    answers: answers.map((message) => ({ id: message.id, text: textOf(message), parts: message.parts })),
    status: kept.state.status,
    errors: kept.errors,
  });
}
