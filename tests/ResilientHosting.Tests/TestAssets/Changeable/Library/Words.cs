namespace Library;

public static class Words
{
    public static string Text => "words";
}
