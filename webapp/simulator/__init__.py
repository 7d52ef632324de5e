"""Stand-ins for AniList, Trakt, TMDB and the mapping hosts: a WSGI app and a process of its own.

    python -m webapp.simulator --port 8900 [--data FILE.json.gz --limit-entries N --seed S] [--state FILE]

Below one address: `/anilist/graphql`, `/anilist/oauth/{authorize,token,pin}`, `/trakt/...`,
`/trakt-auth/oauth/{authorize,token,revoke,device/code,device/token}` and `/trakt-auth/activate`, `/tmdb/...`,
`/mappings/{otaku.db,fribbs.json,anime-lists.xml}`, `/posters/<id>.svg`. Tokens and app keys stand in `constants`;
`process.start` starts it from a test.

The control API, JSON in and out, below `/_sim` (POST unless said otherwise; bad input is a 400 that says why):

| request | body, answer |
|---|---|
| GET health | {ok, library, entries} |
| GET history?account= | living plays of a Trakt account: [{id, kind, trakt_id, season, number, watched_at, action, inserted_at}] |
| GET state | library, settings, faults, users with their entries, accounts with their history |
| GET requests, requests/reset | {service: {total, paths: {"GET /sync/...": n}}} since the start or the last reset |
| GET expected | {plays: [{anilist_id, episode, kind, trakt_id, season, number, status}], count}: the truth of the library |
| reset | everything as at the start |
| GET settings, settings | the fields of `world.Settings`: lag_seconds, lag_activities, enforce_limits, anilist_limit, ... |
| GET, POST, DELETE faults | one fault or a list of them, the fields of `faults.Fault` |
| entries | {user?, media_id, changes: {progress, status, repeat, private, ...}, activity?: {status, progress?, created_at?}} or {media_id, remove: true} |
| viewer | {user?, id}: the AniList account behind the token has another id from now on |
| plays | {account?, add: [{kind, trakt_id, season, number, watched_at?, action?}], remove: [history ids], remove_places: [...]} |
| GET marks?account= | living ratings, watchlist items and dropped shows: [{kind: rating, watchlist or dropped; target: movie, show, season or episode; trakt_id, season, number, value}] |
| marks | {account?, add: [{kind, target, trakt_id, season?, number?, value?}], remove: [...]} |
| episodes | {trakt_id, season, number, title?, first_aired?}: Trakt lists one more episode |
| account | {account?, trouble: "" or limit, locked, vip; watch_only_once, hidden: [ids], reset_at: {id: time}, timezone, uuid, watchlist_limit} |
| tokens | {expire: trakt, anilist or all, forget_refresh: true} |
| app | {state: ok, blocked or deleted}: what Trakt thinks of the app |
| files | {name, as: real, html, truncated or empty} or {name, base64}: what a mapping host serves |
"""
