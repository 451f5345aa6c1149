using System.Text;

namespace ResilientHosting.Reloading;

/// <summary>The page in place of an application that doesn't run. It can be read without a script, and follows once there is something to follow.</summary>
internal static class ErrorPage
{
    private static readonly DevAsset Style = DevAssets.Find("/failure.css")!;

    /// <summary>Gets what the page needs and nothing else: should anything on it ever fail to be encoded, it does nothing.</summary>
    public static string ContentSecurityPolicy { get; } =
        $"default-src 'none'; style-src {DevAsset.PolicySource(Style.Content)}; "
        + "script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

    /// <summary>Writes the page that tells nothing but that there is nothing.</summary>
    public static byte[] Write(string sentence) => Write(sentence, 0, new Html(), new Html());

    /// <param name="reason">Why there is no answer.</param>
    /// <param name="moment">How things stand.</param>
    /// <param name="mayRepeat">Whether the browser may send the request again by itself.</param>
    public static byte[] Write(string reason, ReloadMoment moment, bool mayRepeat)
    {
        var (head, content) = (new Html(), new Html());
        if (mayRepeat && (moment.Failure is not null || moment.Phase != ReloadPhase.Watching))
        {
            head.Append($"""<script type="module" src="/_dev/error-page.js"></script><noscript><meta http-equiv="refresh" content="2"></noscript>""");
        }
        else if (mayRepeat)
        {
            // A status that knows of no failure will announce no fix either.
            head.Append($"""<meta http-equiv="refresh" content="1">""");
        }

        var advice = mayRepeat ? "Save a fix, and the page you asked for appears here by itself." : "Save a fix, then send the request again.";
        content.Append($"""<p class="note">No version of the application runs. {advice} <span id="phase" role="status"></span></p>""");
        if (moment.Failure is { } failure)
        {
            Append(content, failure);
        }

        return Write(moment.Failure?.Title ?? reason, moment.Attempt, head, content);
    }

    private static byte[] Write(string title, int attempt, Html head, Html content) => Encoding.UTF8.GetBytes(new Html().Append(
        $"""
        <!doctype html>
        <html lang="en" data-attempt="{attempt}">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>{title}</title>
        <style>{Style}</style>
        {head}
        </head>
        <body>
        <main class="failure">
        <h1>{title}</h1>
        {content}
        </main>
        </body>
        </html>

        """).ToString());

    private static void Append(Html html, ReloadFailure failure)
    {
        html.Append($"""<ol class="diagnostics">""");
        foreach (var diagnostic in failure.Diagnostics)
        {
            html.Append($"""<li><p class="message"><span class="id">{diagnostic.Id}</span> {diagnostic.Message}</p><p class="place">""");
            AppendLink(html, diagnostic.Place);
            if (diagnostic.Project is { } project)
            {
                html.Append($""" <span class="project">{project}</span>""");
            }

            html.Append($"</p>");
            Append(html, diagnostic.Place?.Code);
            html.Append($"</li>");
        }

        html.Append($"</ol>");
        if (failure.MoreDiagnostics > 0)
        {
            html.Append($"""<p class="note">and {failure.MoreDiagnostics} more</p>""");
        }

        if (failure.Exception is { } exception)
        {
            Append(html, exception);
            foreach (var cause in exception.Causes)
            {
                html.Append($"""<p class="note">caused by</p>""");
                Append(html, cause);
            }
        }
    }

    private static void Append(Html html, ThrownException exception)
    {
        html.Append($"""<section><h2>{exception.Type}</h2><p class="message">{exception.Message}</p>""");
        Append(html, exception.OwnFrames.Select(frame => frame.Place.Code).FirstOrDefault(code => code is not null));
        html.Append($"""<ol class="frames">""");
        foreach (var frame in exception.OwnFrames)
        {
            html.Append($"""<li><span class="method">{frame.Method}</span> <span class="place">""");
            AppendLink(html, frame.Place);
            html.Append($"</span></li>");
        }

        html.Append($"</ol>");
        if (exception.Stack.Count > 0)
        {
            html.Append($"<details><summary>The whole stack ({exception.Stack.Count})</summary><pre>{string.Join('\n', exception.Stack)}</pre></details>");
        }

        html.Append($"</section>");
    }

    private static void Append(Html html, CodeFrame? code)
    {
        if (code is null)
        {
            return;
        }

        html.Append($"""<div class="code" translate="no">""");
        for (var i = 0; i < code.Lines.Count; i++)
        {
            html.Append($"""<div class="{(i == code.MarkedLine ? "line marked" : "line")}" data-number="{code.FirstLine + i}">""");
            if (i == code.MarkedLine && code.MarkLength > 0)
            {
                var (before, marked, after) = code.Split();
                html.Append($"{before}<mark>{(marked.Length == 0 ? " " : marked)}</mark>{after}");
            }
            else
            {
                html.Append($"{code.Lines[i]}");
            }

            html.Append($"</div>");
        }

        html.Append($"</div>");
    }

    private static void AppendLink(Html html, CodePlace? place)
    {
        if (place?.EditorLink is { } link)
        {
            html.Append($"""<a href="{link}">{place.ToString()}</a>""");
        }
        else
        {
            html.Append($"{place?.ToString()}");
        }
    }
}
