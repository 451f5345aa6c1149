using System.Globalization;
using System.Text.RegularExpressions;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts;

/// <summary>Reads the server's own "Request finished" lines.</summary>
public static partial class AccessRecord
{
    public static IEnumerable<int> Statuses(LogCollector logs, string path) =>
        from line in logs.Lines
        where line.Category == "Microsoft.AspNetCore.Hosting.Diagnostics" && line.Event.Id == 2
        let match = Finished().Match(line.Message)
        where match.Success && match.Groups["path"].Value == path
        select int.Parse(match.Groups["status"].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^Request finished \S+ \S+ https?://[^/]+(?<path>/[^\s?]*)\S* - (?<status>\d+)")]
    private static partial Regex Finished();
}
