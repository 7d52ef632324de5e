"""The part of AniList's GraphQL schema that the simulator answers, written for it; names and types as AniList has them."""

from __future__ import annotations

SDL = """
scalar Json
scalar CountryCode
scalar FuzzyDateInt

enum MediaType { ANIME MANGA }
enum MediaFormat { TV TV_SHORT MOVIE SPECIAL OVA ONA MUSIC MANGA NOVEL ONE_SHOT }
enum MediaStatus { FINISHED RELEASING NOT_YET_RELEASED CANCELLED HIATUS }
enum MediaSeason { WINTER SPRING SUMMER FALL }
enum MediaListStatus { CURRENT PLANNING COMPLETED DROPPED PAUSED REPEATING }
enum MediaRelation {
  ADAPTATION PREQUEL SEQUEL PARENT SIDE_STORY CHARACTER SUMMARY ALTERNATIVE SPIN_OFF OTHER SOURCE COMPILATION CONTAINS
}
enum ScoreFormat { POINT_100 POINT_10_DECIMAL POINT_10 POINT_5 POINT_3 }
enum UserTitleLanguage { ROMAJI ENGLISH NATIVE ROMAJI_STYLISED ENGLISH_STYLISED NATIVE_STYLISED }
enum ActivityType { TEXT ANIME_LIST MANGA_LIST MESSAGE MEDIA_LIST }
enum ActivitySort { ID ID_DESC PINNED }
enum MediaSort { ID ID_DESC SEARCH_MATCH UPDATED_AT UPDATED_AT_DESC }
enum MediaListSort {
  MEDIA_ID MEDIA_ID_DESC SCORE SCORE_DESC STATUS STATUS_DESC PROGRESS PROGRESS_DESC STARTED_ON STARTED_ON_DESC
  FINISHED_ON FINISHED_ON_DESC ADDED_TIME ADDED_TIME_DESC UPDATED_TIME UPDATED_TIME_DESC
}

type FuzzyDate { year: Int month: Int day: Int }
type MediaTitle {
  romaji(stylised: Boolean): String
  english(stylised: Boolean): String
  native(stylised: Boolean): String
  userPreferred: String
}
type MediaCoverImage { extraLarge: String large: String medium: String color: String }
type AiringSchedule {
  id: Int! airingAt: Int! timeUntilAiring: Int! episode: Int! mediaId: Int! media: Media
}
type MediaEdge { node: Media id: Int relationType(version: Int): MediaRelation isMainStudio: Boolean! }
type MediaConnection { edges: [MediaEdge] nodes: [Media] pageInfo: PageInfo }
type Media {
  id: Int!
  idMal: Int
  title: MediaTitle
  type: MediaType
  format: MediaFormat
  status(version: Int): MediaStatus
  startDate: FuzzyDate
  endDate: FuzzyDate
  season: MediaSeason
  seasonYear: Int
  episodes: Int
  duration: Int
  countryOfOrigin: CountryCode
  updatedAt: Int
  coverImage: MediaCoverImage
  bannerImage: String
  synonyms: [String]
  isAdult: Boolean
  nextAiringEpisode: AiringSchedule
  relations: MediaConnection
  mediaListEntry: MediaList
  siteUrl: String
}
type MediaList {
  id: Int!
  userId: Int!
  mediaId: Int!
  status: MediaListStatus
  score(format: ScoreFormat): Float
  progress: Int
  progressVolumes: Int
  repeat: Int
  priority: Int
  private: Boolean
  notes: String
  hiddenFromStatusLists: Boolean
  customLists(asArray: Boolean): Json
  startedAt: FuzzyDate
  completedAt: FuzzyDate
  updatedAt: Int
  createdAt: Int
  media: Media
  user: User
}
type MediaListGroup {
  entries: [MediaList] name: String isCustomList: Boolean isSplitCompletedList: Boolean status: MediaListStatus
}
type MediaListCollection { lists: [MediaListGroup] user: User hasNextChunk: Boolean }
type MediaListTypeOptions {
  sectionOrder: [String] splitCompletedSectionByFormat: Boolean customLists: [String] advancedScoring: [String]
  advancedScoringEnabled: Boolean
}
type MediaListOptions {
  scoreFormat: ScoreFormat rowOrder: String animeList: MediaListTypeOptions mangaList: MediaListTypeOptions
}
type ListActivityOption { disabled: Boolean type: MediaListStatus }
type UserOptions {
  titleLanguage: UserTitleLanguage displayAdultContent: Boolean airingNotifications: Boolean profileColor: String
  timezone: String activityMergeTime: Int disabledListActivity: [ListActivityOption]
}
type UserAvatar { large: String medium: String }
type User {
  id: Int! name: String! about(asHtml: Boolean): String avatar: UserAvatar bannerImage: String options: UserOptions
  mediaListOptions: MediaListOptions unreadNotificationCount: Int siteUrl: String createdAt: Int updatedAt: Int
}
type TextActivity {
  id: Int! userId: Int type: ActivityType replyCount: Int! text(asHtml: Boolean): String siteUrl: String
  isLocked: Boolean likeCount: Int! createdAt: Int! user: User
}
type ListActivity {
  id: Int! userId: Int type: ActivityType replyCount: Int! status: String progress: String isLocked: Boolean
  likeCount: Int! isPinned: Boolean siteUrl: String createdAt: Int! user: User media: Media
}
type MessageActivity {
  id: Int! recipientId: Int messengerId: Int type: ActivityType replyCount: Int! message(asHtml: Boolean): String
  likeCount: Int! createdAt: Int!
}
union ActivityUnion = TextActivity | ListActivity | MessageActivity
type PageInfo { total: Int perPage: Int currentPage: Int lastPage: Int hasNextPage: Boolean }

type Page {
  pageInfo: PageInfo
  media(id: Int, idMal: Int, type: MediaType, format: MediaFormat, search: String, id_in: [Int], idMal_in: [Int],
        sort: [MediaSort]): [Media]
  mediaList(id: Int, userId: Int, userName: String, type: MediaType, status: MediaListStatus, mediaId: Int,
            status_in: [MediaListStatus], status_not_in: [MediaListStatus], mediaId_in: [Int],
            sort: [MediaListSort]): [MediaList]
  activities(id: Int, userId: Int, mediaId: Int, type: ActivityType, type_in: [ActivityType], id_in: [Int],
             createdAt_greater: Int, createdAt_lesser: Int, sort: [ActivitySort]): [ActivityUnion]
}
type Query {
  Page(page: Int, perPage: Int): Page
  Media(id: Int, idMal: Int, type: MediaType, format: MediaFormat, search: String, id_in: [Int], idMal_in: [Int],
        sort: [MediaSort]): Media
  MediaList(id: Int, userId: Int, userName: String, type: MediaType, status: MediaListStatus, mediaId: Int,
            status_in: [MediaListStatus], status_not_in: [MediaListStatus], mediaId_in: [Int],
            sort: [MediaListSort]): MediaList
  MediaListCollection(userId: Int, userName: String, type: MediaType, status: MediaListStatus,
                      forceSingleCompletedList: Boolean, chunk: Int, perChunk: Int, status_in: [MediaListStatus],
                      status_not_in: [MediaListStatus], sort: [MediaListSort]): MediaListCollection
  User(id: Int, name: String): User
  Viewer: User
}
"""
