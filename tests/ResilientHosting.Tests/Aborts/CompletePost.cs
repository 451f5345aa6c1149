using System.Globalization;

namespace ResilientHosting.Tests.Aborts;

/// <summary>A POST with all of its body, small or large, in HTTP/1.1.</summary>
public static class CompletePost
{
    private static readonly int[] BodySizes = [20, 2_000, 40_000];

    public static int SizeOf(int number) => BodySizes[number % BodySizes.Length];

    public static string ToText(string path, int number, bool chunked)
    {
        var body = new string('x', SizeOf(number));
        var (header, content) = chunked
            ? ("Transfer-Encoding: chunked", string.Create(CultureInfo.InvariantCulture, $"{body.Length:x}\r\n{body}\r\n0\r\n\r\n"))
            : (string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}"), body);
        return $"POST {path}?id={number} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n{content}";
    }
}
