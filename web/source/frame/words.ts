/** The page's own words, in the reader's language. */
import { language } from "./preferences.ts";

// biome-ignore format: a table
const WORDS = {
  places:        ["Places", "页面"],
  skip:          ["Skip to the content", "跳到正文"],
  services:      ["Services", "服务"],
  packets:       ["Packets", "数据包"],
  connections:   ["Connections", "连接"],
  events:        ["Events", "事件"],
  changes:       ["Changes", "变更"],
  laboratory:    ["Laboratory", "实验室"],
  asking:        ["asking", "询问中"],
  live:          ["live", "实时"],
  none:          ["no director", "没有调度器"],
  lost:          ["no answer", "无应答"],
  refused:       ["refused", "被拒绝"],
  locked:        ["Read only", "只读"],
  unlocked:      ["Can change", "可修改"],
  unlockTitle:   ["Unlock what changes the director", "解锁：允许修改调度器"],
  lockTitle:     ["Only look again", "恢复只读"],
  light:         ["Light", "浅色"],
  dark:          ["Dark", "深色"],
  keys:          ["Keys", "按键"],
  close:         ["Close", "关闭"],
  keyFilter:     ["go to the filter", "跳到过滤框"],
  keyMove:       ["the next, the one before", "下一个、上一个"],
  keyOpen:       ["open it", "打开"],
  keyPlaces:     ["the places above", "上方的各页面"],
  keyPlay:       ["laboratory: play, pause", "实验室：播放、暂停"],
  keyStep:       ["laboratory: a step back, a step on", "实验室：后退一步、前进一步"],
  keyHelp:       ["these keys", "显示按键"],
  keyEscape:     ["leave, close", "离开、关闭"],
  partMissing:   ["This part of the page cannot be loaded: load the page anew.", "这部分页面无法加载：请刷新页面。"],
} as const satisfies Record<string, readonly [string, string]>;

export type Word = keyof typeof WORDS;

export function say(word: Word): string {
  return WORDS[word][language.value === "zh" ? 1 : 0];
}
