using System.Text.Json;

namespace ResilientHosting.Reloading;

/// <summary>A failure as scripts, agents and the overlay read it.</summary>
internal static class FailureJson
{
    public static void Write(Utf8JsonWriter json, ReloadFailure? failure)
    {
        if (failure is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartObject();
        json.WriteString("title", failure.Title);
        WriteMembers(json, failure);
        json.WriteEndObject();
    }

    /// <summary>The details, into an object that has begun.</summary>
    public static void WriteMembers(Utf8JsonWriter json, ReloadFailure failure)
    {
        json.WriteObjects("diagnostics", failure.Diagnostics, static (json, diagnostic) =>
        {
            json.WriteString("id", diagnostic.Id);
            json.WriteString("severity", "error");
            json.WriteString("message", diagnostic.Message);
            json.WriteString("project", diagnostic.Project);
            Write(json, diagnostic.Place);
        });
        json.WriteNumber("moreDiagnostics", failure.MoreDiagnostics);
        json.WritePropertyName("exception");
        Write(json, failure.Exception, isOutermost: true);
    }

    private static void Write(Utf8JsonWriter json, ThrownException? exception, bool isOutermost)
    {
        if (exception is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartObject();
        json.WriteString("type", exception.Type);
        json.WriteString("message", exception.Message);
        json.WriteObjects("ownFrames", exception.OwnFrames, static (json, frame) =>
        {
            json.WriteString("method", frame.Method);
            Write(json, frame.Place);
        });
        json.WriteStrings("stack", exception.Stack);
        if (isOutermost)
        {
            json.WriteStartArray("causes");
            foreach (var cause in exception.Causes)
            {
                Write(json, cause, isOutermost: false);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, CodePlace? place)
    {
        json.WriteString("file", place?.File ?? "");
        json.WriteString("name", place?.ToString());
        json.WriteNumber("line", place?.Line ?? 0);
        json.WriteNumber("column", place?.Column ?? 0);
        json.WriteString("editor", place?.EditorLink);
        if (place?.Code is not { } code)
        {
            json.WriteNull("code");
            return;
        }

        json.WriteStartObject("code");
        json.WriteNumber("firstLine", code.FirstLine);
        json.WriteNumber("markedLine", code.MarkedLine);
        json.WriteNumber("markStart", code.MarkStart);
        json.WriteNumber("markLength", code.MarkLength);
        json.WriteStrings("lines", code.Lines);
        json.WriteEndObject();
    }
}
