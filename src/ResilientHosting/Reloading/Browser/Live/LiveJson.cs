using System.Text.Json;

namespace ResilientHosting.Reloading;

/// <summary>The part of the status that tells how the process is doing, besides reloads.</summary>
internal static class LiveJson
{
    /// <summary>Adds its properties to an object that has been begun.</summary>
    public static void Write(Utf8JsonWriter json, LiveData live)
    {
        json.WriteString("application", live.Application);
        json.WriteBoolean("serves", live.Serves);
        json.WriteString("processStarted", live.ProcessStarted);
        json.WriteObjects("watched", live.Watched, Write);
        json.WriteObjects("retired", live.Retired.Where(retired => retired.State != RetiredState.Collected), Write);
        json.WriteObjects("pools", live.Pools, Write);
        json.WriteStartObject("aborts");
        json.WriteStartObject("byCause");
        foreach (var (cause, count) in live.Aborts.ByCause)
        {
            json.WriteNumber(cause, count);
        }

        json.WriteEndObject();
        json.WriteObjects("latest", live.Aborts.Latest, Write);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, WatchedRoot root)
    {
        json.WriteString("path", root.Path);
        json.WriteNumber("folders", root.Folders);
        json.WriteString("fileSystem", root.FileSystem);
        json.WriteBoolean("listedFilesOnly", root.IsForListedFiles);
        json.WriteString("backend", root.WhyPolled is null ? "events" : "polling");
        json.WriteString("reason", root.WhyPolled);
    }

    private static void Write(Utf8JsonWriter json, RetiredGeneration retired)
    {
        json.WriteNumber("generation", retired.Number);
        json.WriteString("state", retired.State switch
        {
            RetiredState.Ending => "ending",
            RetiredState.Unloading => "unloading",
            _ => "held",
        });
        json.WriteObjects("heldBy", retired.Causes, static (json, cause) =>
        {
            json.WriteString("what", cause.What + cause.Which);
            json.WriteString("hint", cause.Hint);
            json.WriteString("kind", cause.IsTemporary ? "temporary" : cause.IsUnknown ? "unknown" : "leak");
        });
    }

    private static void Write(Utf8JsonWriter json, PoolUse pool)
    {
        json.WriteString("name", pool.Name);
        json.WriteNumber("generation", pool.Generation);
        json.WriteNumber("used", pool.Used);
        json.WriteNumber("idle", pool.Idle);
        json.WriteNumber("waiting", pool.Waiting);
        json.WriteNumber("max", pool.Max);
    }

    private static void Write(Utf8JsonWriter json, SeenAbort abort)
    {
        json.WriteString("time", abort.Time);
        json.WriteString("cause", abort.Cause);
        json.WriteString("phase", abort.Phase);
        json.WriteString("outcome", abort.Outcome);
        json.WriteString("route", abort.Route);
    }
}
